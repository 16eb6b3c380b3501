package hook

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gantry-ci/gantry/app/store"
)

const (
	// maxBody is GitHub's own limit of a payload, in bytes.
	maxBody = 25 << 20
	// acceptTimeout bounds the whole request: GitHub waits 10 s for the answer.
	acceptTimeout = 9 * time.Second
)

var (
	guidShape  = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	eventShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// Enqueuer queues the handling of an accepted delivery, in the transaction that stores it.
type Enqueuer interface {
	EnqueueDelivery(ctx context.Context, tx *store.Tx, guid string) error
}

// Options of a hook. All are required.
type Options struct {
	Secrets    []string // any of them may sign; more than one while they are rotated
	Store      *store.Store
	Work       Enqueuer
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Handler is the endpoint to which GitHub delivers webhooks.
type Handler struct {
	secrets secrets
	store   *store.Store
	work    Enqueuer
	log     *slog.Logger
	intake  *intake
	answers *prometheus.CounterVec
	latency prometheus.Histogram
}

// New makes the endpoint. An empty secret is an error.
func New(o Options) (*Handler, error) {
	s, err := newSecrets(o.Secrets)
	if err != nil {
		return nil, err
	}
	h := &Handler{
		secrets: s, store: o.Store, work: o.Work, log: o.Logger, intake: newIntake(),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gantry_hook_answers_total", Help: "Webhook deliveries by how they were answered.",
		}, []string{"answer"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "gantry_hook_accept_seconds", Help: "Time from a delivery's headers to its 202.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 10},
		}),
	}
	for _, c := range []prometheus.Collector{h.answers, h.latency} {
		if err := o.Registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// answer is the response to a request.
type answer struct {
	code int
	name string // in the metric
	text string
	err  error // the cause, when it is the app's fault
}

// ServeHTTP accepts a delivery.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), acceptTimeout)
	defer cancel()
	a := h.accept(ctx, w, r)
	h.answers.WithLabelValues(a.name).Inc()
	if a.err != nil {
		h.log.ErrorContext(ctx, "webhook not accepted", "guid", r.Header.Get("X-GitHub-Delivery"), "err", a.err)
	}
	if a.code == http.StatusAccepted {
		h.latency.Observe(time.Since(start).Seconds())
	}
	http.Error(w, a.text, a.code)
}

func (h *Handler) accept(ctx context.Context, w http.ResponseWriter, r *http.Request) answer {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return answer{code: http.StatusMethodNotAllowed, name: "method", text: "webhooks are POSTed"}
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return answer{
			code: http.StatusUnsupportedMediaType, name: "content_type",
			text: "set the webhook's content type to application/json",
		}
	}
	unsigned := answer{code: http.StatusUnauthorized, name: "signature", text: "X-Hub-Signature-256 does not hold"}
	signature, ok := parseSignature(r.Header.Get("X-Hub-Signature-256"))
	if !ok {
		return unsigned
	}
	body, err := h.intake.read(ctx, w, r)
	if errors.Is(err, errBusy) {
		return answer{code: http.StatusServiceUnavailable, name: "busy", text: "too many deliveries at once; redeliver later"}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return answer{code: http.StatusRequestEntityTooLarge, name: "too_large", text: "payload is over 25 MiB"}
	}
	if err != nil {
		return answer{code: http.StatusBadRequest, name: "body", text: "payload is cut off"}
	}
	if !h.secrets.valid(signature, body) {
		return unsigned
	}
	return h.save(ctx, r.Header.Get("X-GitHub-Delivery"), r.Header.Get("X-GitHub-Event"), body)
}

// save stores and queues a delivery whose signature is valid.
func (h *Handler) save(ctx context.Context, guid, event string, body []byte) answer {
	if !guidShape.MatchString(guid) || !eventShape.MatchString(event) {
		return answer{
			code: http.StatusBadRequest, name: "headers", text: "X-GitHub-Delivery or X-GitHub-Event is missing or malformed",
		}
	}
	accepted := false
	err := h.store.Tx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if accepted, err = h.store.AcceptDelivery(ctx, tx, guid, event, body); err != nil || !accepted {
			return err
		}
		return h.work.EnqueueDelivery(ctx, tx, guid)
	})
	switch {
	case err != nil:
		return answer{
			code: http.StatusInternalServerError, name: "error", text: "the delivery could not be stored; redeliver it",
			err: err,
		}
	case !accepted:
		return answer{code: http.StatusAccepted, name: "seen", text: "seen before"}
	default:
		return answer{code: http.StatusAccepted, name: "accepted", text: "accepted"}
	}
}
