package fakegithub

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

// maxAnswer bounds what is kept of a receiver's answer to a webhook.
const maxAnswer = 64 << 10

// keptDeliveries is how many deliveries the log keeps; GitHub keeps them for days.
const keptDeliveries = 10000

// Event is a webhook event with its payload, as one of the builders made it.
type Event struct {
	Name    string
	Payload []byte
}

// DeliveryOptions vary a delivery; the zero value is what GitHub sends.
type DeliveryOptions struct {
	// GUID identifies the event; made when empty. A redelivery keeps it.
	GUID string
	// URL and Secret stand for the server's own.
	URL    string
	Secret string
	// Unsigned leaves out both signatures; Signature replaces the SHA-256 one;
	// OnlySHA1 leaves out the SHA-256 one.
	Unsigned  bool
	Signature string
	OnlySHA1  bool
	// Redelivery marks the delivery as one in the log.
	Redelivery bool
	// Timeout is the patience with the receiver; GitHub's 10 s when zero.
	Timeout time.Duration
}

// Delivery is one attempt to deliver an event, as the log has it.
type Delivery struct {
	ID         int64
	GUID       string
	Event      string
	Action     string
	Delivered  time.Time
	Duration   time.Duration
	Redelivery bool
	Status     int    // 0 when there was no answer
	Answer     string // the body of the answer
	Err        string // why there was no answer
}

// delivery is a Delivery with its request.
type delivery struct {
	Delivery
	installation, repository int64
	request, response        http.Header
	payload                  []byte
}

// Send delivers an event to the server's webhook URL.
func (s *Server) Send(ctx context.Context, e Event) (Delivery, error) {
	return s.Deliver(ctx, e.Name, e.Payload, DeliveryOptions{})
}

// Deliver posts a signed webhook and logs it. An error means that there was no
// answer; an answer of whatever status is in the Delivery.
func (s *Server) Deliver(ctx context.Context, event string, payload []byte, o DeliveryOptions) (Delivery, error) {
	d := &delivery{payload: payload}
	d.Event, d.Redelivery, d.GUID = event, o.Redelivery, cmp.Or(o.GUID, uuid.NewString())
	var routing struct {
		Action       string             `json:"action"`
		Installation struct{ ID int64 } `json:"installation"`
		Repository   struct{ ID int64 } `json:"repository"`
	}
	// A payload that is no JSON is delivered all the same: tests of hostile bodies need it.
	_ = json.Unmarshal(payload, &routing)
	d.Action, d.installation, d.repository = routing.Action, routing.Installation.ID, routing.Repository.ID
	s.mu.Lock()
	d.ID, d.Delivered = s.state.id(), s.now()
	to, secret := cmp.Or(o.URL, s.opts.WebhookURL), cmp.Or(o.Secret, s.opts.WebhookSecret)
	s.mu.Unlock()
	if to == "" {
		return d.Delivery, errors.New("deliver webhook: no webhook URL")
	}
	d.request = s.webhookHeader(d, secret, o)
	err := d.post(ctx, s.sender, to, cmp.Or(o.Timeout, webhookTimeout))
	s.mu.Lock()
	s.state.deliveries = append(s.state.deliveries, d)
	if n := len(s.state.deliveries); n > keptDeliveries {
		s.state.deliveries = slices.Clone(s.state.deliveries[n-keptDeliveries:])
	}
	s.wake()
	s.mu.Unlock()
	s.opts.Logger.Info("webhook", "event", event, "action", d.Action, "guid", d.GUID, "status", d.Status, "error", d.Err)
	return d.Delivery, err
}

func (s *Server) webhookHeader(d *delivery, secret string, o DeliveryOptions) http.Header {
	h := http.Header{}
	h.Set("Accept", "*/*")
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/"+d.GUID[:min(7, len(d.GUID))])
	h.Set("X-GitHub-Delivery", d.GUID)
	h.Set("X-GitHub-Event", d.Event)
	h.Set("X-GitHub-Hook-ID", fmt.Sprint(s.opts.AppID*1000+1))
	h.Set("X-GitHub-Hook-Installation-Target-ID", fmt.Sprint(s.opts.AppID))
	h.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	if secret == "" || o.Unsigned {
		return h
	}
	h.Set("X-Hub-Signature", "sha1="+sign(sha1.New, secret, d.payload))
	if !o.OnlySHA1 {
		h.Set("X-Hub-Signature-256", cmp.Or(o.Signature, "sha256="+sign(sha256.New, secret, d.payload)))
	}
	return h
}

func sign(algorithm func() hash.Hash, secret string, payload []byte) string {
	mac := hmac.New(algorithm, []byte(secret))
	mac.Write(payload)
	return hex.EncodeToString(mac.Sum(nil))
}

// Sign is the value of X-Hub-Signature-256 for a payload.
func Sign(secret string, payload []byte) string { return "sha256=" + sign(sha256.New, secret, payload) }

func (d *delivery) post(ctx context.Context, client *http.Client, to string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	start := time.Now()
	err := d.exchange(ctx, client, to)
	d.Duration = time.Since(start)
	if err != nil {
		d.Err = err.Error()
		return fmt.Errorf("deliver %s %s: %w", d.Event, d.GUID, err)
	}
	return nil
}

func (d *delivery) exchange(ctx context.Context, client *http.Client, to string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(d.payload))
	if err != nil {
		return err
	}
	req.Header = d.request.Clone()
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	d.Status, d.response = resp.StatusCode, resp.Header
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	d.Answer = string(answer)
	return err
}

// Deliveries returns the delivery log, oldest first.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Delivery
	for _, d := range s.state.deliveries {
		list = append(list, d.Delivery)
	}
	return list
}

// LoseDelivery logs an event as GitHub does when the receiver is away: it was
// sent, and nobody answered. Only the delivery log knows of it.
func (s *Server) LoseDelivery(e Event) Delivery {
	d := &delivery{payload: e.Payload}
	var routing struct {
		Action       string             `json:"action"`
		Installation struct{ ID int64 } `json:"installation"`
		Repository   struct{ ID int64 } `json:"repository"`
	}
	_ = json.Unmarshal(e.Payload, &routing) // the builders make valid JSON
	s.mu.Lock()
	defer s.mu.Unlock()
	d.ID, d.GUID, d.Event, d.Action, d.Delivered = s.state.id(), uuid.NewString(), e.Name, routing.Action, s.now()
	d.installation, d.repository = routing.Installation.ID, routing.Repository.ID
	d.Err = "timed out"
	d.request = s.webhookHeader(d, s.opts.WebhookSecret, DeliveryOptions{})
	s.state.deliveries = append(s.state.deliveries, d)
	return d.Delivery
}

// later delivers an event by GitHub's own initiative, after the request in progress.
func (s *Server) later(event string, payload []byte, o DeliveryOptions) {
	s.serving.Go(func() {
		// Whether it arrived is in the log.
		_, _ = s.Deliver(s.alive, event, payload, o)
	})
}
