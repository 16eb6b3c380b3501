package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gantry-ci/gantry/test/fakegithub"
)

// maxOrder bounds the body of a control request: a webhook may have 25 MB and more.
const maxOrder = 32 << 20

// control is the control interface.
type control struct{ *fakegithub.Server }

func controlOf(s *fakegithub.Server) http.Handler {
	c := control{s}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pull", answer(c.pull))
	mux.HandleFunc("POST /close", answer(c.closePull))
	mux.HandleFunc("POST /fault", answer(c.fault))
	mux.HandleFunc("POST /deliver", c.deliver)
	mux.HandleFunc("GET /check-runs", func(w http.ResponseWriter, r *http.Request) {
		repo := c.Repo(r.URL.Query().Get("repo"))
		if repo == nil {
			http.Error(w, "no such repository", http.StatusNotFound)
			return
		}
		write(w, repo.CheckRuns())
	})
	mux.HandleFunc("GET /deliveries", func(w http.ResponseWriter, _ *http.Request) { write(w, c.Deliveries()) })
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, _ *http.Request) { write(w, c.Requests()) })
	mux.HandleFunc("GET /violations", func(w http.ResponseWriter, _ *http.Request) { write(w, c.Violations()) })
	return mux
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who reads no more is not told
}

// answer makes a handler of a function from one JSON object to another.
func answer[In, Out any](do func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder))
		body.DisallowUnknownFields()
		if err := body.Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := do(r.Context(), in)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		write(w, out)
	}
}

type pullOrder struct {
	Repo   string            `json:"repo"`
	Branch string            `json:"branch"`
	Files  map[string]string `json:"files"`
	Fork   string            `json:"fork"` // the account whose fork has the branch
}

// delivered is what became of an order.
type delivered struct {
	Number   int                 `json:"number"`
	Head     string              `json:"head"`
	Delivery fakegithub.Delivery `json:"delivery"`
}

// pull commits to a branch, and opens its pull request unless there is one.
func (c control) pull(ctx context.Context, in pullOrder) (delivered, error) {
	repo := c.Repo(in.Repo)
	if repo == nil {
		return delivered{}, fmt.Errorf("no repository %q", in.Repo)
	}
	from := repo
	if in.Fork != "" {
		if from = c.Repo(in.Fork + "/" + repo.Name); from == nil {
			var err error
			if from, err = repo.Fork(in.Fork); err != nil {
				return delivered{}, err
			}
		}
	}
	files := map[string][]byte{}
	for name, text := range in.Files {
		files[name] = []byte(text)
	}
	if _, err := from.CommitFiles(in.Branch, "Change "+in.Branch, files); err != nil {
		return delivered{}, err
	}
	for n := 1; ; n++ {
		have, err := repo.Pull(n)
		if err != nil {
			break // past the last
		}
		if have.State == "open" && have.Branch == in.Branch && have.Fork == from.FullName() {
			return c.tell(ctx, repo, "synchronize", have)
		}
	}
	opened, err := repo.OpenPull(fakegithub.PullOptions{Head: in.Branch, From: from})
	if err != nil {
		return delivered{}, err
	}
	return c.tell(ctx, repo, "opened", opened)
}

type closeOrder struct {
	Repo   string `json:"repo"`
	Number int    `json:"number"`
	Merge  bool   `json:"merge"`
}

func (c control) closePull(ctx context.Context, in closeOrder) (delivered, error) {
	repo := c.Repo(in.Repo)
	if repo == nil {
		return delivered{}, fmt.Errorf("no repository %q", in.Repo)
	}
	if err := repo.ClosePull(in.Number, in.Merge); err != nil {
		return delivered{}, err
	}
	closed, err := repo.Pull(in.Number)
	if err != nil {
		return delivered{}, err
	}
	return c.tell(ctx, repo, "closed", closed)
}

// tell delivers pull_request. That nobody answers is part of the delivery.
func (c control) tell(ctx context.Context, repo *fakegithub.Repo, action string, p fakegithub.Pull) (delivered, error) {
	e, err := repo.PullRequestEvent(action, p.Number)
	if err != nil {
		return delivered{}, err
	}
	d, _ := c.Send(ctx, e)
	return delivered{Number: p.Number, Head: p.Head, Delivery: d}, nil
}

// deliver delivers a body as it is.
func (c control) deliver(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOrder))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	q := r.URL.Query()
	// That nobody answers is part of the delivery.
	d, _ := c.Deliver(r.Context(), q.Get("event"), body, fakegithub.DeliveryOptions{GUID: q.Get("guid")})
	write(w, d)
}

type faultOrder struct {
	Kind    string `json:"kind"` // primary, secondary, error, slow, drop, lose-reply, none
	Method  string `json:"method"`
	Prefix  string `json:"prefix"`
	Skip    int    `json:"skip"`
	Times   int    `json:"times"`
	Seconds int    `json:"seconds"` // until the limit's reset, or of the slow answer
}

func (c control) fault(_ context.Context, in faultOrder) (faultOrder, error) {
	wait := time.Duration(in.Seconds) * time.Second
	var f fakegithub.Fault
	switch in.Kind {
	case "primary":
		f = fakegithub.PrimaryLimit(time.Now().Add(wait))
	case "secondary":
		f = fakegithub.SecondaryLimit(http.StatusForbidden, wait)
	case "error":
		f = fakegithub.ServerError(http.StatusBadGateway)
	case "slow":
		f = fakegithub.Slow(wait)
	case "drop":
		f = fakegithub.Drop()
	case "lose-reply":
		f = fakegithub.LoseReply()
	case "none":
		c.ClearFaults()
		return in, nil
	default:
		return in, fmt.Errorf("no fault %q", in.Kind)
	}
	f = f.On(in.Method, in.Prefix)
	f.Skip, f.Times = in.Skip, in.Times
	c.Inject(f)
	return in, nil
}
