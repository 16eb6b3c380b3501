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
)

const (
	// claim is how long a writer may hold a check between two notes of its progress: longer than two requests can
	// take, so that no second writer is ever at work beside it.
	claim = 90 * time.Second
	// quiet is the least time between two updates that change neither status nor conclusion.
	quiet = 5 * time.Second
	// settle is how long GitHub may take over a request whose sender is gone.
	settle = 2 * time.Second
	// rounds bounds how often a writer goes on with what changed while it wrote; the next job does the rest.
	rounds = 5
	// patience is how long GitHub may refuse a check before it is given up.
	patience = 48 * time.Hour
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

// Writer tells GitHub of checks.
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

// Write brings the check up to date at GitHub. again, when it is not zero, is when to call it again: a limit is
// reached, or it is too early for an update that nobody waits for. After an error the check waits for another call,
// too.
func (w *Writer) Write(ctx context.Context, id string) (again time.Duration, err error) {
	for range rounds {
		more, again, err := w.once(ctx, id)
		if err != nil || again > 0 || !more {
			return again, err
		}
	}
	return time.Second, nil
}

// once sends the state of now. more is true when it has changed meanwhile.
func (w *Writer) once(ctx context.Context, id string) (more bool, again time.Duration, err error) {
	writer := uuid.NewString()
	c, err := w.Store.ClaimCheck(ctx, id, writer, w.Now().Add(claim))
	if errors.Is(err, store.ErrNotFound) {
		return false, 0, nil // up to date, or another writer has it, and will see what changed
	}
	if err != nil {
		return false, 0, err
	}
	released := false
	defer func() {
		if released {
			return
		}
		why := ""
		if err != nil {
			why = err.Error()
		}
		// The claim must end even when the app is stopping.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		err = errors.Join(err, w.Store.ReleaseCheck(ctx, id, writer, why))
	}()
	if !c.Open && c.External < c.Generation {
		if err := w.Store.ReplaceCheckRun(ctx, id, writer); err != nil {
			return false, 0, err
		}
		c.External, c.CheckRunID, c.Annotations, c.SentHash, c.Open = c.Generation, 0, 0, "", true
	}
	view, err := Look(ctx, w.Store, c)
	if err != nil {
		return false, 0, err
	}
	shown := Render(view, w.BaseURL)
	if wait := w.early(c, shown); wait > 0 {
		return false, wait, nil
	}
	if hash := shown.hash(); hash != c.SentHash {
		err := w.send(ctx, &c, writer, shown)
		if errors.Is(err, ghapi.ErrInvalid) {
			w.Logger.ErrorContext(ctx, "check refused; telling its state only", "check", c.ID, "repo", c.Repo, "err", err)
			err = w.send(ctx, &c, writer, shown.bare())
		}
		if err != nil {
			return false, w.after(err), w.failed(ctx, c, err)
		}
		c.SentHash = hash
		w.writes.WithLabelValues(shown.Run.Status).Inc()
	}
	c.Open = shown.Run.Status != Completed
	released = true
	more, err = w.Store.CheckSent(ctx, c, writer)
	return more, 0, err
}

const releaseTimeout = 10 * time.Second // of a local write

// early is how long an update should wait that tells nothing new of status or conclusion.
func (w *Writer) early(c store.Check, s Shown) time.Duration {
	if c.SentHash == "" || s.Run.Status == Completed || s.key() != sentKey(c.SentHash) {
		return 0
	}
	return max(0, time.UnixMilli(c.SentMS).Add(quiet).Sub(w.Now()))
}

// after is how long a limit asks to wait.
func (w *Writer) after(err error) time.Duration {
	if limit := (*ghapi.LimitError)(nil); errors.As(err, &limit) {
		w.writes.WithLabelValues("limited").Inc()
		return limit.After
	}
	return 0
}

// failed decides whether an error of GitHub ends in giving the check up.
func (w *Writer) failed(ctx context.Context, c store.Check, err error) error {
	if limit := (*ghapi.LimitError)(nil); errors.As(err, &limit) {
		return nil
	}
	w.writes.WithLabelValues("error").Inc()
	old := w.Now().Sub(time.UnixMilli(c.CreatedMS)) > patience
	if errors.Is(err, ghapi.ErrInvalid) ||
		old && (errors.Is(err, ghapi.ErrNotFound) || errors.Is(err, ghapi.ErrForbidden)) {
		w.Logger.ErrorContext(ctx, "check given up", "check", c.ID, "repo", c.Repo, "err", err)
		return w.Store.GiveUpCheck(ctx, c.ID, err.Error())
	}
	return err
}

// send makes or updates the check run; c gets what GitHub then has.
func (w *Writer) send(ctx context.Context, c *store.Check, writer string, s Shown) error {
	gh := w.GitHub.Installation(c.InstallationID)
	if c.CheckRunID == 0 || c.Interrupted {
		// An earlier writer may have made it, or added annotations, and died before it noted so.
		if err := w.find(ctx, gh, c); err != nil {
			return err
		}
	}
	rest := s.Annotations[min(int(c.Annotations), len(s.Annotations)):]
	for {
		run, out := s.Run, *s.Run.Output
		out.Annotations = rest[:min(len(rest), ghapi.MaxAnnotations)]
		run.Output, rest = &out, rest[len(out.Annotations):]
		if len(rest) > 0 { // the conclusion comes with the last of them
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

// find takes over the check run that GitHub has for the check, if it has one.
func (w *Writer) find(ctx context.Context, gh *ghapi.Client, c *store.Check) error {
	found, err := gh.FindCheckRun(ctx, c.Repo, c.HeadSHA, c.Name, c.ExternalID())
	if errors.Is(err, ghapi.ErrNotFound) && c.Interrupted && c.CheckRunID == 0 {
		// The request that was cut off may still be on its way through GitHub.
		select {
		case <-time.After(settle):
		case <-ctx.Done():
			return context.Cause(ctx)
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

// put is one request, noted at once.
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
