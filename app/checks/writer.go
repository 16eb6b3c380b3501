package checks

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gantry-ci/gantry/app/ghapi"
	"github.com/gantry-ci/gantry/app/store"
	"github.com/gantry-ci/gantry/internal/clock"
)

const (
	// claim is how long a writer may hold a check without recording progress: longer than two requests can take, so that
	// two writers never write the same check.
	claim = 90 * time.Second
	// updateInterval is the least time between two updates that change neither status nor conclusion.
	updateInterval = 5 * time.Second
	// inFlight is how long GitHub may take to carry out a request whose sender is gone.
	inFlight = 2 * time.Second
	// maxUpdates is how many updates one Write sends when the check changes while it writes; the next job sends the rest.
	maxUpdates = 5
	// giveUpAfter is how long GitHub may refuse a check before it is given up.
	giveUpAfter = 48 * time.Hour
	// releaseTimeout is for a write to our own database.
	releaseTimeout = 10 * time.Second
)

// Options of a writer. All but Now are required.
type Options struct {
	Store      *store.Store
	GitHub     *ghapi.App
	BaseURL    string // of the lab's pages
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // nil is the wall clock
}

// Writer writes checks to GitHub.
type Writer struct {
	Options
	writes *prometheus.CounterVec
}

// New makes a writer.
func New(o Options) (*Writer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Writer{o, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gantry_check_writes_total", Help: "Writes of check runs by outcome.",
	}, []string{"outcome"})}
	if err := o.Registerer.Register(w.writes); err != nil {
		return nil, err
	}
	return w, nil
}

// Write updates the check at GitHub. If again is not zero, it must be called again after that time: a limit is reached,
// or it is too early for an update that nobody waits for. After an error it must be called again, too.
func (w *Writer) Write(ctx context.Context, id string) (again time.Duration, err error) {
	for range maxUpdates {
		more, again, err := w.update(ctx, id)
		if err != nil || again > 0 || !more {
			return again, err
		}
	}
	return time.Second, nil
}

// update claims the check, sends its current state, and ends the claim. more is true when it has changed meanwhile.
func (w *Writer) update(ctx context.Context, id string) (more bool, again time.Duration, err error) {
	writer := uuid.NewString()
	c, err := w.Store.ClaimCheck(ctx, id, writer, w.Now().Add(claim))
	if errors.Is(err, store.ErrNotFound) {
		return false, 0, nil // it is up to date, or another writer has it and will see what changed
	}
	if err != nil {
		return false, 0, err
	}
	released := false
	defer func() {
		if !released {
			err = errors.Join(err, w.release(ctx, id, writer, err))
		}
	}()
	if !c.Open && c.External < c.Generation {
		if err := w.Store.ReplaceCheckRun(ctx, id, writer); err != nil {
			return false, 0, err
		}
		c.External, c.CheckRunID, c.Annotations, c.SentHash, c.Open = c.Generation, 0, 0, "", true
	}
	view, err := Load(ctx, w.Store, c)
	if err != nil {
		return false, 0, err
	}
	rendered := Render(view, w.BaseURL)
	if wait := w.tooEarly(c, rendered); wait > 0 {
		return false, wait, nil
	}
	if hash := rendered.hash(); hash != c.SentHash {
		if err := w.send(ctx, &c, writer, rendered); err != nil {
			return false, w.limit(err), w.failed(ctx, c, err)
		}
		c.SentHash = hash
		w.writes.WithLabelValues(rendered.Run.Status).Inc()
	}
	c.Open = rendered.Run.Status != Completed
	released = true
	more, err = w.Store.CheckSent(ctx, c, writer)
	return more, 0, err
}

// release ends the claim after a failure, or when the writer must wait.
func (w *Writer) release(ctx context.Context, id, writer string, failure error) error {
	why := ""
	if failure != nil {
		why = failure.Error()
	}
	// The claim must end even when the app is stopping.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	return w.Store.ReleaseCheck(ctx, id, writer, why)
}

// tooEarly is how long an update should wait that changes neither status nor conclusion.
func (w *Writer) tooEarly(c store.Check, s Rendered) time.Duration {
	if c.SentHash == "" || s.Run.Status == Completed || s.key() != sentKey(c.SentHash) {
		return 0
	}
	return max(0, time.UnixMilli(c.SentMS).Add(updateInterval).Sub(w.Now()))
}

// limit is how long to wait for an error that is a limit; 0 for any other.
func (w *Writer) limit(err error) time.Duration {
	if limit := (*ghapi.LimitError)(nil); errors.As(err, &limit) {
		w.writes.WithLabelValues("limited").Inc()
		return limit.After
	}
	return 0
}

// failed decides what becomes of a check after an error of GitHub: a retry, with the error, or giving it up, with none.
func (w *Writer) failed(ctx context.Context, c store.Check, err error) error {
	if limit := (*ghapi.LimitError)(nil); errors.As(err, &limit) {
		return nil
	}
	w.writes.WithLabelValues("error").Inc()
	old := w.Now().Sub(time.UnixMilli(c.CreatedMS)) > giveUpAfter
	if errors.Is(err, ghapi.ErrInvalid) ||
		old && (errors.Is(err, ghapi.ErrNotFound) || errors.Is(err, ghapi.ErrForbidden)) {
		w.Logger.ErrorContext(ctx, "check given up", "check", c.ID, "repo", c.Repo, "err", err)
		return w.Store.GiveUpCheck(ctx, c.ID, err.Error())
	}
	return err
}

// send creates or updates the check run, without details if GitHub refuses them. c gets what GitHub has then.
func (w *Writer) send(ctx context.Context, c *store.Check, writer string, s Rendered) error {
	err := w.sendAll(ctx, c, writer, s)
	if errors.Is(err, ghapi.ErrInvalid) {
		w.Logger.ErrorContext(ctx, "check refused; sending its state only", "check", c.ID, "repo", c.Repo, "err", err)
		err = w.sendAll(ctx, c, writer, s.withoutDetails())
	}
	return err
}

// sendAll creates or updates the check run, in as many requests as its annotations need.
func (w *Writer) sendAll(ctx context.Context, c *store.Check, writer string, s Rendered) error {
	gh := w.GitHub.Installation(c.InstallationID)
	if c.CheckRunID == 0 || c.Interrupted {
		// An earlier writer may have created it, or added annotations, and died before it recorded that.
		if err := w.find(ctx, gh, c); err != nil {
			return err
		}
	}
	rest := s.Annotations[min(int(c.Annotations), len(s.Annotations)):]
	for {
		run, out := s.Run, *s.Run.Output
		out.Annotations = rest[:min(len(rest), ghapi.MaxAnnotations)]
		run.Output, rest = &out, rest[len(out.Annotations):]
		if len(rest) > 0 { // the conclusion is sent with the last annotations
			run.Status, run.Conclusion, run.CompletedAt = InProgress, "", nil
		}
		if err := w.put(ctx, gh, c, writer, run); err != nil {
			return err
		}
		if len(rest) == 0 {
			return nil
		}
	}
}

// find looks for the check run of the check at GitHub; c gets its id and the number of its annotations.
func (w *Writer) find(ctx context.Context, gh *ghapi.Client, c *store.Check) error {
	found, err := gh.FindCheckRun(ctx, c.Repo, c.HeadSHA, c.Name, c.ExternalID())
	if errors.Is(err, ghapi.ErrNotFound) && c.Interrupted && c.CheckRunID == 0 {
		// GitHub may still be carrying out the request that was cut off.
		if err := clock.Sleep(ctx, inFlight); err != nil {
			return err
		}
		found, err = gh.FindCheckRun(ctx, c.Repo, c.HeadSHA, c.Name, c.ExternalID())
	}
	if errors.Is(err, ghapi.ErrNotFound) {
		return nil
	}
	if err == nil {
		c.CheckRunID, c.Annotations = found.ID, int64(found.Annotations)
	}
	return err
}

// put makes one request, and records at once what GitHub has then.
func (w *Writer) put(ctx context.Context, gh *ghapi.Client, c *store.Check, writer string, run ghapi.CheckRun) error {
	added := int64(len(run.Output.Annotations))
	if c.CheckRunID != 0 {
		if _, err := gh.UpdateCheckRun(ctx, c.Repo, c.CheckRunID, run); err != nil {
			return err
		}
	} else {
		made, err := gh.CreateCheckRun(ctx, c.Repo, run)
		if err != nil {
			return err
		}
		c.CheckRunID = made.ID
		if err := w.Store.CheckCreated(ctx, c.ID, writer, made.ID); err != nil {
			return err
		}
	}
	c.Annotations += added
	return w.Store.CheckProgress(ctx, c.ID, writer, c.Annotations, w.Now().Add(claim))
}
