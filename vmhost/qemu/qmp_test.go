package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fakeQMP is the other end of a monitor: it greets, takes the capabilities, and answers as it is told.
func fakeQMP(t *testing.T, conn net.Conn, answer func(id int64, command string) []string) {
	t.Helper()
	fmt.Fprint(conn, `{"QMP": {"version": {}, "capabilities": []}}`+"\r\n")
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		var req struct {
			Execute string
			ID      int64
		}
		if err := json.Unmarshal(lines.Bytes(), &req); err != nil {
			t.Errorf("%v: %s", err, lines.Text())
		}
		replies := []string{fmt.Sprintf(`{"return": {}, "id": %d}`, req.ID)}
		if req.Execute != "qmp_capabilities" {
			replies = answer(req.ID, req.Execute)
		}
		for _, r := range replies {
			fmt.Fprint(conn, r+"\r\n")
		}
	}
}

func TestMonitor(t *testing.T) {
	ours, theirs := net.Pipe()
	go fakeQMP(t, theirs, func(id int64, command string) []string {
		switch command {
		case "query-status":
			return []string{
				`{"event": "RESET", "data": {"guest": true}, "timestamp": {"seconds": 1700000000, "microseconds": 250000}}`,
				`{"return": {"stray": true}, "id": 999}`,
				fmt.Sprintf(`{"return": {"status": "running"}, "id": %d}`, id),
			}
		case "nonsense":
			return []string{fmt.Sprintf(`{"error": {"class": "CommandNotFound", "desc": "no such thing"}, "id": %d}`, id)}
		}
		theirs.Close()
		return nil
	})
	events := make(chan Event, 10)
	m := newMonitor(ours, func(e Event) { events <- e })
	defer m.close()
	<-m.ready
	got, err := m.execute(t.Context(), "query-status")
	if err != nil || string(got) != `{"status": "running"}` {
		t.Errorf("got %s, %v", got, err)
	}
	e := <-events
	if want := time.Unix(1700000000, 250000000).UTC(); e.Name != "RESET" || !e.Time.Equal(want) ||
		string(e.Data) != `{"guest": true}` {
		t.Errorf("event %+v", e)
	}
	if _, err := m.execute(t.Context(), "nonsense"); err == nil ||
		!strings.Contains(err.Error(), "nonsense: CommandNotFound: no such thing") {
		t.Errorf("got %v", err)
	}
	if _, err := m.execute(t.Context(), "quit"); !errors.Is(err, errMonitor) {
		t.Errorf("got %v", err)
	}
	if _, err := m.execute(t.Context(), "quit"); !errors.Is(err, errMonitor) {
		t.Errorf("after the end: %v", err)
	}
}

// A monitor that says nothing ends a request with its context, and one that says too much is closed.
func TestMonitorHostile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go fakeQMP(t, theirs, func(int64, string) []string { return nil })
		m := newMonitor(ours, func(Event) {})
		<-m.ready
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := m.execute(ctx, "stop"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		m.close()
	})
	for name, text := range map[string]string{
		"no newline": strings.Repeat("x", maxMessage+10),
		"no JSON":    "hello\n",
		"no fit":     `{"id": "x", "event": 5}` + "\n",
	} {
		ours, theirs := net.Pipe()
		go fmt.Fprint(theirs, text)
		m := newMonitor(ours, func(Event) { t.Errorf("%s: an event", name) })
		select {
		case <-m.done:
		case <-time.After(time.Minute):
			t.Errorf("%s: the monitor is still open", name)
		}
		m.close()
		theirs.Close()
	}
}
