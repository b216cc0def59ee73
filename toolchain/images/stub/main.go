// Stub stands for a service whose image can't be had on this machine. It answers the service's health check, and 501 with an
// explanation to everything else, so that nobody takes it for the real thing.
//
// Ports come from STUB_PORTS ("9999,9100") and from arguments that are numbers; other arguments are the service's own and are
// ignored. STUB_SERVICE names the service. STUB_HEALTH lists the paths that answer 200; unset: the health paths known of the
// services it may stand for. STUB_DELAY is how many seconds pass before the ports listen, as a real service needs some to start;
// unset: none. Called under another name (postgrest, kong, node ...), it is that program's health command: it asks the address in
// its arguments (node), else its own health path, and ends with 0 or 1.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const defaultHealth = "/health,/healthz,/healthcheck,/ready,/live,/status,/api/health,/api/platform/profile,/api/profile," +
	"/api/tenants/*/health"

var addressPattern = regexp.MustCompile(`http://[A-Za-z0-9.:_/-]+`)

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func ports(arguments []string) ([]string, error) {
	wanted := list(os.Getenv("STUB_PORTS"))
	for _, port := range wanted {
		if !isPort(port) {
			return nil, fmt.Errorf("STUB_PORTS: %q is no port (1 to 65535)", port)
		}
	}
	for _, argument := range arguments {
		if isPort(argument) && !slices.Contains(wanted, argument) {
			wanted = append(wanted, argument)
		}
	}
	if len(wanted) == 0 {
		return nil, errors.New("no port: set STUB_PORTS to the ports of the service, as in STUB_PORTS=9999")
	}
	return wanted, nil
}

func isPort(text string) bool {
	number, err := strconv.Atoi(text)
	return err == nil && number >= 1 && number <= 65535 && strconv.Itoa(number) == text
}

func delay() (time.Duration, error) {
	given := os.Getenv("STUB_DELAY")
	if given == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseFloat(given, 64)
	if err != nil || !(seconds >= 0 && seconds <= 3600) {
		return 0, fmt.Errorf("STUB_DELAY: %q is no number of seconds (0 to 3600)", given)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

func healthPaths() []string {
	if given := list(os.Getenv("STUB_HEALTH")); len(given) > 0 {
		return given
	}
	return list(defaultHealth)
}

func isHealth(path string) bool {
	for _, pattern := range healthPaths() {
		if matched, _ := filepath.Match(pattern, path); matched {
			return true
		}
	}
	return false
}

func service() string {
	if name := os.Getenv("STUB_SERVICE"); name != "" {
		return name
	}
	return "a service"
}

func answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Supastack-Stub", service())
	w.Header().Set("Content-Type", "application/json")
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && isHealth(r.URL.Path) {
		_ = json.NewEncoder(w).Encode(map[string]any{"stub": true, "service": service()})
		return
	}
	w.WriteHeader(http.StatusNotImplemented)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"stub":    true,
		"service": service(),
		"error":   "not implemented",
		"message": "This is a stub that stands for " + service() + ", whose image could not be had on this machine. " +
			"It answers health checks only. Let the machine reach an image registry to run the real service.",
	})
}

func healthy(address string) bool {
	client := http.Client{Timeout: 2 * time.Second}
	response, err := client.Get(address)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "stub: "+err.Error())
	os.Exit(1)
}

func check() {
	if address := addressPattern.FindString(strings.Join(os.Args[1:], " ")); address != "" {
		if !healthy(address) {
			os.Exit(1)
		}
		return
	}
	// Ports may have been given to the stub as arguments: it is process 1 of the container.
	running, _ := os.ReadFile("/proc/1/cmdline")
	wanted, err := ports(strings.Split(string(running), "\x00"))
	if err != nil {
		fail(err)
	}
	path := strings.ReplaceAll(healthPaths()[0], "*", "any")
	for _, port := range wanted {
		if !healthy("http://127.0.0.1:" + port + path) {
			os.Exit(1)
		}
	}
}

func main() {
	if filepath.Base(os.Args[0]) != "stub" || (len(os.Args) == 2 && os.Args[1] == "--check") {
		check()
		return
	}
	wanted, err := ports(os.Args[1:])
	if err != nil {
		fail(err)
	}
	wait, err := delay()
	if err != nil {
		fail(err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-stop:
		return
	case <-time.After(wait):
	}
	for _, port := range wanted {
		server := http.Server{Addr: ":" + port, Handler: http.HandlerFunc(answer), ReadHeaderTimeout: 10 * time.Second}
		go func() { fail(server.ListenAndServe()) }()
	}
	fmt.Printf("This is a stub that stands for %s: health checks on port %s, 501 to everything else.\n",
		service(), strings.Join(wanted, ", "))
	<-stop
}
