package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/gantry-ci/gantry/internal/schema"
	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/jobs/config"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/test/scene"
)

// pollInterval is how often the check is asked for, as a person reloading the page would.
const pollInterval = 250 * time.Millisecond

// completed waits until the commit has a check run and all it has are completed.
func (s *demonstration) completed(ctx context.Context) (scene.CheckRun, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTimeout, fmt.Errorf("no completed check after %s", checkTimeout))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	last := ""
	for {
		runs, err := s.Checks(ctx, s.pull.Head)
		if err != nil {
			return scene.CheckRun{}, errors.Join(err, context.Cause(ctx))
		}
		if len(runs) > 1 {
			return scene.CheckRun{}, fmt.Errorf("%d check runs, expected exactly one: %+v", len(runs), runs)
		}
		if len(runs) == 1 {
			if now := runs[0].Status + ": " + runs[0].Output.Title; now != last {
				fmt.Fprintln(s.out, "check is", now)
				last = now
			}
			if runs[0].Status == "completed" {
				return runs[0], nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return scene.CheckRun{}, context.Cause(ctx)
		}
	}
}

// compare reports how the check differs from what the demo must come to.
func (s *demonstration) compare(ctx context.Context, run scene.CheckRun) error {
	var errs []error
	if run.Conclusion != s.want {
		errs = append(errs, fmt.Errorf("the conclusion is %q, expected %q", run.Conclusion, s.want))
	}
	page, _, err := get(ctx, run.DetailsURL)
	if err != nil {
		errs = append(errs, fmt.Errorf("read the page: %w", err))
	}
	for _, v := range s.Hub.Violations() {
		errs = append(errs, fmt.Errorf("GitHub's rules were broken: %w", v))
	}
	runs, err := s.Checks(ctx, s.pull.Head)
	if err != nil || len(runs) != 1 {
		errs = append(errs, fmt.Errorf("%d check runs at the end, expected exactly one (%w)", len(runs), err))
	}
	want, ran := s.expected()
	if !ran {
		return errors.Join(errs...) // a refused configuration has no cases
	}
	res, err := readResults(ctx, page)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	return errors.Join(append(errs, s.cases(want, res))...)
}

// expected are the cases that the job's test definitions announce, as 0_smoke/uname; ran is false when the repository's
// files are not valid, so that nothing can run.
func (s *demonstration) expected() (cases []string, ran bool) {
	head := s.Head()
	src, err := os.ReadFile(filepath.Join(head, ".github", "gantry.yml"))
	if err != nil {
		return nil, false
	}
	cfg, report := config.Parse(src)
	if !report.Valid() {
		return nil, false
	}
	for _, j := range cfg.Jobs {
		src, err := os.ReadFile(filepath.Join(head, j.Lava.Path))
		if err != nil {
			return nil, false
		}
		job, report := jobs.ParseJob(src, schema.Strict)
		if !report.Valid() {
			return nil, false
		}
		for _, m := range job.Actions {
			t, ok := m.(*jobs.TestDefinitions)
			if !ok {
				continue
			}
			for i, d := range t.Definitions {
				for _, name := range append(slices.Clone(d.Expected), inline(d)...) {
					cases = append(cases, fmt.Sprintf("%d_%s/%s", i, d.Name, name))
				}
			}
		}
	}
	return cases, true
}

func inline(d jobs.Definition) []string {
	if d.Repository == nil {
		return nil
	}
	return d.Repository.Expected
}

// readResults reads the run's results, beside the page that the check leads to.
func readResults(ctx context.Context, page string) (*results.Results, error) {
	_, b, err := get(ctx, page+"/results.json")
	if err != nil {
		return nil, fmt.Errorf("read the results: %w", err)
	}
	var r results.Results
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("read the results: %w", err)
	}
	return &r, nil
}

// cases holds the list of cases, and the nonce's, against what is expected. A run that did not come to its tests has
// none, and says so by its class.
func (s *demonstration) cases(want []string, r *results.Results) error {
	var got []string
	nonce := ""
	for _, c := range r.Cases {
		if c.Suite == results.PipelineSuite || c.Result == results.Missing {
			continue
		}
		got = append(got, c.Suite+"/"+c.Case)
		if c.Case == "nonce" && c.Measurement != nil {
			nonce = strconv.FormatFloat(*c.Measurement, 'f', 0, 64)
		}
	}
	if r.Class != "" && r.Class != results.ClassTest && len(got) == 0 {
		fmt.Fprintf(s.out, "the run ended before its tests: %s: %s\n", r.Class, r.Message)
		return nil
	}
	var errs []error
	if !slices.Equal(got, want) {
		errs = append(errs, fmt.Errorf("the cases are %v, expected %v", got, want))
	}
	sum := sha256.Sum256([]byte(s.nonce))
	hash, err := strconv.ParseInt(hex.EncodeToString(sum[:6]), 16, 64)
	if err != nil {
		return err
	}
	if nonce != strconv.FormatInt(hash, 10) {
		errs = append(errs, fmt.Errorf("case nonce returns %q, expected %d: the hash of this demo's nonce", nonce, hash))
	}
	return errors.Join(errs...)
}

// get returns where it was led to, and what is there.
func get(ctx context.Context, url string) (end string, b []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return "", nil, fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	b, err = io.ReadAll(resp.Body)
	return resp.Request.URL.String(), b, err
}
