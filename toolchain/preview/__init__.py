"""What a preview or a refresh would do, as data, and the reports that are made of it."""
