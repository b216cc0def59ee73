# Supastack. `make` alone lists the targets. Variables: STACK=dev INSTANCE=n ARGS="..." VERBOSE=1

STACK ?= dev
PYTHON ?= python3
RUN := $(PYTHON) toolchain/bootstrap.py
DEV := $(RUN) --dev
WHICH = --stack "$(STACK)" $(if $(INSTANCE),--instance "$(INSTANCE)") $(if $(filter-out 0,$(SHOW_SECRETS)),--show-secrets)
export VERBOSE

.DEFAULT_GOAL := help
.PHONY: help up preview drift smoke status env down purge forward activate check-env env-example graph pin which-stack check-deploy pr-up pr-down pr-list pr-clean comment drift-issue check-stacks cluster cluster-down test lint bench lock

help:
	@echo 'Supastack: a whole Supabase, cache and object store for an app, in one command.'
	@echo
	@echo '  make up         set up what is missing, bring the stack up, print its URLs'
	@echo '  make preview    show what `make up` would change, property by property'
	@echo '                  (FORMAT=markdown prints the comment for a pull request, FORMAT=json data)'
	@echo '  make drift      report what was changed by other hands since the last `make up` (FORMAT=markdown, json)'
	@echo '  make smoke      ask a deployed stack as its users do: API, auth, REST, storage, databases, cache, buckets'
	@echo '  make status     URLs, services and images of the stack, and all other instances on the machine'
	@echo '                  (SHOW_SECRETS=1 shows passwords, FORMAT=json prints data)'
	@echo '  make env        say where the env files are (SHOW_SECRETS=1 prints what is in them)'
	@echo '                  (FORMAT=vercel, github-secrets or github-variables: as `vercel env import` and `gh` read them)'
	@echo '  make down       remove everything but the data; `make up` brings it back'
	@echo '  make forward    open the ports of a stack in a cluster on this machine, until Ctrl-C'
	@echo '  make purge      remove everything, the data too; asks for the name of the stack (or CONFIRM=<stack>)'
	@echo '  make activate   let plain `pulumi` work on this clone in your shell: eval "$$(make -s activate)"'
	@echo '  make check-env  say what is missing, empty or malformed in an env file: FILE=.env FOR=nextjs'
	@echo '  make env-example  print the keys of an env file without secrets, for the repository of the app: FOR=nextjs'
	@echo '  make graph      draw the stack as a picture: docs/stack.svg, or FILE=...'
	@echo '  make pin        write the digests of the images into Pulumi.<stack>.yaml, where their registries answer'
	@echo '  make which-stack  print the stack that a branch is deployed as (delivery.yaml): BRANCH=develop'
	@echo '  make pr-up      bring up the preview of a pull request, a stack of its own: PR=12'
	@echo '  make pr-down    remove it with its data: PR=12'
	@echo '  make pr-list    all previews with their age; IDLE=7d those alone that may go'
	@echo '  make pr-clean   remove the previews that may go: IDLE=7d'
	@echo '  make comment    write a file as the one comment of a stack on a pull request: STACK=prod PR=12 FILE=preview.md (COMMENT=edit makes none)'
	@echo '  make drift-issue  look for drift of a stack, and have one issue tell of it'
	@echo '  make check-stacks  say which stacks have settings that are not right, with no secret at hand'
	@echo '  make check-deploy  say what a deployment of the stack from a runner of CI is missing'
	@echo '  make cluster    have a one-node Kubernetes run on this machine, as root (ARGS="--cnpg" for CloudNativePG too)'
	@echo '  make cluster-down  end it; its data stays (ARGS=--purge removes it)'
	@echo '  make test       lint, then all tests, with a real engine and daemon (ARGS="-k name" for some)'
	@echo '  make lint       format check, lint, types'
	@echo '  make bench      measure, print a table'
	@echo '  make lock       make requirements*.txt from requirements*.in (ARGS=--upgrade for newer versions)'
	@echo
	@echo 'STACK=dev chooses the stack (Pulumi.<stack>.yaml), INSTANCE=2 a second one beside it, VERBOSE=1 prints every step.'

up:
	@$(RUN) $@ $(WHICH) $(if $(CONFIRM),--confirm "$(CONFIRM)") -- $(ARGS)

preview drift:
	@$(RUN) $@ $(WHICH) $(if $(FORMAT),--format "$(FORMAT)") $(if $(COMMIT),--commit "$(COMMIT)") -- $(ARGS)

env:
	@$(RUN) $@ $(WHICH) $(if $(FORMAT),--format "$(FORMAT)") -- $(FOR)

status:
	@$(RUN) $@ $(WHICH) $(if $(FORMAT),--format "$(FORMAT)")

down activate forward smoke pin:
	@$(RUN) $@ $(WHICH)

purge:
	@$(RUN) $@ $(WHICH) $(if $(CONFIRM),--confirm "$(CONFIRM)")

check-env:
	@$(RUN) $@ $(WHICH) -- "FILE=$(FILE)" "FOR=$(FOR)"

env-example:
	@$(RUN) $@ $(WHICH) -- "FOR=$(FOR)"

graph:
	@$(RUN) $@ $(WHICH) -- $(FILE)

cluster cluster-down:
	@$(RUN) $@ -- $(ARGS)

# BRANCH, PR, IDLE and FILE go by the environment: a branch's name is other people's text, and must not become part of a command.
which-stack pr-list pr-clean comment drift-issue check-stacks check-deploy:
	@$(RUN) $@ $(WHICH)

pr-up pr-down:
	@$(RUN) $@ -- $(ARGS)

test:
	@$(DEV) $@ -- $(ARGS)

lint:
	@$(DEV) $@

bench:
	@$(DEV) $@ -- $(ARGS)

lock:
	@$(RUN) $@ -- $(ARGS)
