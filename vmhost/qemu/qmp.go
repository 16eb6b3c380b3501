package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// maxMessage bounds one QMP message: a QEMU that was taken over by its guest must not fill the runner's memory.
const maxMessage = 1 << 20

// Event is what QEMU reports by itself: SHUTDOWN, RESET, GUEST_PANICKED and others.
type Event struct {
	Name string          `json:"event"`
	Time time.Time       `json:"time"`
	Data json.RawMessage `json:"data,omitempty"`
}

// errMonitor is the end of the QMP connection.
var errMonitor = errors.New("QEMU's monitor is closed")

// monitor is a QMP client on one connection: requests with ids, replies in any order, events in between.
type monitor struct {
	conn    net.Conn
	onEvent func(Event)
	ready   chan struct{} // closed when capabilities are negotiated
	done    chan struct{} // closed when the connection has ended

	mu      sync.Mutex
	id      int64
	pending map[int64]chan message
}

type message struct {
	QMP    json.RawMessage `json:"QMP"`
	ID     int64           `json:"id"`
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Event     string          `json:"event"`
	Data      json.RawMessage `json:"data"`
	Timestamp struct {
		Seconds, Microseconds int64
	} `json:"timestamp"`
}

// newMonitor starts the client; close ends it.
func newMonitor(conn net.Conn, onEvent func(Event)) *monitor {
	m := &monitor{
		conn: conn, onEvent: onEvent, pending: map[int64]chan message{},
		ready: make(chan struct{}), done: make(chan struct{}),
	}
	go m.read()
	return m
}

// close ends the connection and waits for the reader.
func (m *monitor) close() {
	_ = m.conn.Close()
	<-m.done
}

func (m *monitor) read() {
	defer close(m.done)
	lines := bufio.NewScanner(m.conn)
	lines.Buffer(make([]byte, 0, 4096), maxMessage)
	for lines.Scan() {
		var msg message
		if err := json.Unmarshal(lines.Bytes(), &msg); err != nil {
			return // no QMP any more
		}
		switch {
		case msg.QMP != nil:
			if !m.send(1, "qmp_capabilities") {
				return
			}
		case msg.Event != "":
			t := time.Unix(msg.Timestamp.Seconds, msg.Timestamp.Microseconds*1000).UTC()
			m.onEvent(Event{Name: msg.Event, Time: t, Data: msg.Data})
		case msg.ID == 1:
			m.negotiated(msg)
		default:
			m.mu.Lock()
			if c := m.pending[msg.ID]; c != nil {
				c <- msg // has room for it
				delete(m.pending, msg.ID)
			}
			m.mu.Unlock()
		}
	}
}

func (m *monitor) negotiated(msg message) {
	select {
	case <-m.ready:
	default:
		if msg.Error == nil {
			close(m.ready)
		}
	}
}

// writeLimit bounds a request: QEMU reads them at once unless it hangs.
const writeLimit = 2 * time.Second

func (m *monitor) send(id int64, command string) bool {
	b, err := json.Marshal(struct {
		Execute string `json:"execute"`
		ID      int64  `json:"id"`
	}{command, id})
	if err != nil {
		return false
	}
	if err := m.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return false
	}
	_, err = m.conn.Write(append(b, '\n'))
	return err == nil
}

// execute sends one command and waits for its reply.
func (m *monitor) execute(ctx context.Context, command string) (json.RawMessage, error) {
	reply := make(chan message, 1)
	m.mu.Lock()
	m.id++
	id := m.id + 1 // 1 is the negotiation's
	m.pending[id] = reply
	sent := m.send(id, command)
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.pending, id)
	}()
	if !sent {
		return nil, fmt.Errorf("%s: %w", command, errMonitor)
	}
	select {
	case msg := <-reply:
		if msg.Error != nil {
			return nil, fmt.Errorf("%s: %s: %s", command, msg.Error.Class, msg.Error.Desc)
		}
		return msg.Return, nil
	case <-m.done:
		return nil, fmt.Errorf("%s: %w", command, errMonitor)
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", command, context.Cause(ctx))
	}
}
