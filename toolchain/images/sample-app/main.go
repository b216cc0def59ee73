// Sample-app is a service of a user's own, for trying `apps` out and for the tests of them. It listens on PORT (3000), answers
// /health with 200, / with what it is, /database with who it is in the database of DATABASE_URL, and ends as a service should: it goes
// on for a moment after SIGTERM, tells its clients to close their connections, and then waits for the requests that are under way.
//
// FAILS=start ends it at once with an error; FAILS=health has /health answer 503. SHOWS lists the variables that / shows.
//
// LOAD is an address: then it calls that all the time, by connections that are kept and by ones that are not, and /load tells how many
// calls there were and which failed. A call that fails is never repeated.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/lib/pq"
)

const (
	goesOn  = time.Second
	stops   = 15 * time.Second
	pause   = 5 * time.Millisecond
	patient = 10 * time.Second
	told    = 5
)

var ending atomic.Bool

func setting(name, otherwise string) string {
	if given := os.Getenv(name); given != "" {
		return given
	}
	return otherwise
}

func answer(w http.ResponseWriter, status int, what any) {
	if ending.Load() {
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what)
}

func root(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if r.URL.Path != "/" {
		answer(w, http.StatusNotFound, map[string]string{"error": "no such path"})
		return
	}
	host, _ := os.Hostname()
	shown := map[string]string{}
	for _, name := range strings.Fields(strings.ReplaceAll(os.Getenv("SHOWS"), ",", " ")) {
		shown[name] = os.Getenv(name)
	}
	answer(w, http.StatusOK, map[string]any{"app": "sample-app", "release": os.Getenv("RELEASE"), "host": host, "environment": shown})
}

func health(w http.ResponseWriter, _ *http.Request) {
	if os.Getenv("FAILS") == "health" {
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "FAILS is health"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// Prisma's own word for a pooler in between, which a server would refuse; and the stack's own servers have no TLS.
func connection(given string) (string, error) {
	at, err := url.Parse(given)
	if err != nil {
		return "", fmt.Errorf("DATABASE_URL is no URL")
	}
	query := at.Query()
	query.Del("pgbouncer")
	if !query.Has("sslmode") {
		query.Set("sslmode", "disable")
	}
	at.RawQuery = query.Encode()
	return at.String(), nil
}

func database(w http.ResponseWriter, r *http.Request) {
	found, err := ask(r.Context())
	if err != nil {
		answer(w, http.StatusBadGateway, map[string]string{"error": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]string{"user": found})
}

func ask(ctx context.Context) (string, error) {
	at, err := connection(os.Getenv("DATABASE_URL"))
	if err != nil {
		return "", err
	}
	db, err := sql.Open("postgres", at)
	if err != nil {
		return "", err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	var user string
	return user, db.QueryRowContext(ctx, "select current_user").Scan(&user)
}

// Calls of one kind: how many there were, and the first failures.
type calls struct {
	sync.Mutex
	Sent, Failed int
	Errors       []string
	Releases     map[string]int
}

func (c *calls) add(release string, err error) {
	c.Lock()
	defer c.Unlock()
	c.Sent++
	if err == nil {
		c.Releases[release]++
		return
	}
	c.Failed++
	if len(c.Errors) < told {
		c.Errors = append(c.Errors, err.Error())
	}
}

func call(client *http.Client, address string) (string, error) {
	// A client may repeat what has no body, and this one is not to.
	response, err := client.Post(address, "text/plain", struct{ io.Reader }{strings.NewReader("x")})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", response.StatusCode)
	}
	var said struct{ Release string }
	return said.Release, json.Unmarshal(body, &said)
}

func load(address string) map[string]*calls {
	found := map[string]*calls{}
	for name, once := range map[string]bool{"kept": false, "fresh": true} {
		count := &calls{Releases: map[string]int{}, Errors: []string{}}
		found[name] = count
		for range 2 {
			client := &http.Client{Timeout: patient, Transport: &http.Transport{DisableKeepAlives: once}}
			go func() {
				for {
					release, err := call(client, address)
					count.add(release, err)
					time.Sleep(pause)
				}
			}()
		}
	}
	return found
}

func main() {
	if os.Getenv("FAILS") == "start" {
		fmt.Fprintln(os.Stderr, "sample-app: FAILS is start, so it does not start")
		os.Exit(3)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", root)
	mux.HandleFunc("/health", health)
	mux.HandleFunc("/database", database)
	if address := os.Getenv("LOAD"); address != "" {
		counts := load(address)
		mux.HandleFunc("/load", func(w http.ResponseWriter, _ *http.Request) {
			for _, one := range counts {
				one.Lock()
				defer one.Unlock()
			}
			answer(w, http.StatusOK, counts)
		})
	}
	server := http.Server{Addr: ":" + setting("PORT", "3000"), Handler: mux, ReadHeaderTimeout: patient}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			fmt.Fprintln(os.Stderr, "sample-app: "+err.Error())
			os.Exit(1)
		}
	}()
	<-stop
	ending.Store(true)
	time.Sleep(goesOn)
	ctx, cancel := context.WithTimeout(context.Background(), stops)
	defer cancel()
	_ = server.Shutdown(ctx)
}
