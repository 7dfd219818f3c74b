// A bridge with Go's own HTTP server. Usage: bridge PORT BACKEND_PORT, with GOMAXPROCS in the environment.
// Why this is fair: net/http is what a Go programmer would take. The multiplexer does the same work as Causeway's: one
// upstream connection, writes gathered while one is under way, first in first out for each code, and a time limit for
// each request. It does not reconnect and has no other limits, which is to its advantage.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

type multiplexer struct {
	outbox  chan string
	mutex   sync.Mutex
	waiting map[string][]chan string // the longest waiting first
}

func isCode(text string) bool {
	if len(text) != 3 {
		return false
	}
	for _, c := range []byte(text) {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z') {
			return false
		}
	}
	return true
}

func (m *multiplexer) ask(code string) (string, bool) {
	reply := make(chan string, 1) // with room, so that the reader never waits for a request that has just timed out
	m.mutex.Lock()
	m.waiting[code] = append(m.waiting[code], reply)
	m.mutex.Unlock()
	m.outbox <- code

	deadline := time.NewTimer(2 * time.Second)
	defer deadline.Stop()
	select {
	case line := <-reply:
		return line, true
	case <-deadline.C:
		m.forget(code, reply)
		return "", false
	}
}

func (m *multiplexer) forget(code string, reply chan string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for i, other := range m.waiting[code] {
		if other == reply {
			m.waiting[code] = append(m.waiting[code][:i:i], m.waiting[code][i+1:]...)
			return
		}
	}
}

func (m *multiplexer) write(backend net.Conn) {
	writer := bufio.NewWriter(backend)
	for code := range m.outbox {
		writer.WriteString(code)
		writer.WriteByte('\n')
		if len(m.outbox) > 0 {
			continue
		}
		if err := writer.Flush(); err != nil {
			log.Fatal(err)
		}
	}
}

func (m *multiplexer) read(backend net.Conn) {
	lines := bufio.NewScanner(backend)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "Code ") || len(line) < 8 {
			continue
		}
		code := line[5:8]
		m.mutex.Lock()
		if queue := m.waiting[code]; len(queue) > 0 {
			queue[0] <- line
			m.waiting[code] = queue[1:]
		}
		m.mutex.Unlock()
	}
	log.Fatal("the backend went away")
}

func answer(w http.ResponseWriter, status int, name, text string) {
	body, _ := json.Marshal(map[string]string{name: text})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

func main() {
	backend, err := net.Dial("tcp", "127.0.0.1:"+os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	m := &multiplexer{outbox: make(chan string, 1024), waiting: map[string][]chan string{}}
	go m.write(backend)
	go m.read(backend)

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		code := r.URL.Query().Get("statusCode")
		if !isCode(code) {
			answer(w, 400, "error", "statusCode must be exactly three letters or digits")
		} else if line, ok := m.ask(code); ok {
			answer(w, 200, "data", line+"\n")
		} else {
			answer(w, 504, "error", "timedout")
		}
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
