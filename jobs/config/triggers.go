package config

import (
	"fmt"
	"path"
	"strings"

	"github.com/gantry-ci/gantry/internal/schema"
)

// Triggers are the events that start runs; nil where the file does not name one.
type Triggers struct {
	PullRequest *PullRequest
	Push        *Push
	WorkflowRun *WorkflowRun
	MergeGroup  *MergeGroup
	Schedule    []string // cron expressions of five fields, in UTC
	Manual      bool     // comment commands and the CLI may start jobs; always true, named for those who list events
}

// PullRequest filters pull requests. An empty filter lets everything through.
type PullRequest struct {
	Branches, BranchesIgnore []string // of the base
	Paths, PathsIgnore       []string
	Labels                   []string // any of them
	Types                    []string // opened, synchronize, reopened, labeled, ready_for_review
}

// Push filters pushes.
type Push struct {
	Branches, BranchesIgnore []string
	Tags, TagsIgnore         []string
	Paths, PathsIgnore       []string
}

// WorkflowRun waits for GitHub Actions workflows, whose artifacts jobs may use.
type WorkflowRun struct {
	Workflows                []string // by name
	Branches, BranchesIgnore []string // of the run's head
}

// MergeGroup filters merge queues.
type MergeGroup struct {
	Branches, BranchesIgnore []string // of the base
}

// Events are the names that on and a job's on may hold.
func Events() []string {
	return []string{"pull_request", "push", "workflow_run", "merge_group", "schedule", "manual"}
}

// Fields declares the form with filters.
func (t *Triggers) Fields(f *schema.Fields) {
	f.Optional("pull_request", filter(&t.PullRequest), "Pull requests: opened, pushed to, reopened, ready for review.")
	f.Optional("push", filter(&t.Push), "Pushes to branches and tags.")
	f.Optional(
		"workflow_run", filter(&t.WorkflowRun),
		"The end of a GitHub Actions workflow; its artifacts can be used as `artifact:…`.",
	)
	f.Optional("merge_group", filter(&t.MergeGroup), "Merge queues.")
	f.Optional("schedule", schedule(&t.Schedule), "Cron expressions, in UTC: one, a list, or GitHub's list of `cron:`.")
	f.Optional(
		"manual",
		schema.Then(schema.Either("a mapping without keys, or nothing", schema.Sub(empty{}), schema.Exactly()), func() {
			t.Manual = true
		}),
		"Only by hand. Jobs can always be started by hand; a file with this alone has no other trigger.",
	)
}

type empty struct{}

func (empty) Fields(*schema.Fields) {}

// filter is a mapping of filters, or nothing for no filter.
func filter[T any, P interface {
	*T
	schema.Object
}](dst *P) schema.Type {
	none := schema.Then(schema.Exactly(), func() { *dst = P(new(T)) })
	return schema.Either("a mapping of filters, or nothing", none, schema.Optionally(dst))
}

func (t *Triggers) typ() schema.Type {
	var one string
	var some []string
	single := schema.Then(schema.OneOf(&one, eventNames()...), func() { t.set(one) })
	several := schema.Then(schema.ListOf(&some, func(s *string) schema.Type {
		return schema.OneOf(s, eventNames()...)
	}), func() {
		for _, s := range some {
			t.set(s)
		}
	})
	return schema.Either("an event, a list of events, or a mapping of events to filters", single, several, schema.Sub(t))
}

// eventNames are the events that need no filter to make sense.
func eventNames() []string { return []string{"pull_request", "push", "merge_group", "manual"} }

func (t *Triggers) set(event string) {
	switch event {
	case "pull_request":
		t.PullRequest = new(PullRequest)
	case "push":
		t.Push = new(Push)
	case "merge_group":
		t.MergeGroup = new(MergeGroup)
	case "manual":
		t.Manual = true
	}
}

// Fields declares the filters.
func (p *PullRequest) Fields(f *schema.Fields) {
	branches(f, &p.Branches, &p.BranchesIgnore, "The base branch.")
	paths(f, &p.Paths, &p.PathsIgnore)
	f.Optional("labels", list(&p.Labels), "At least one of these labels.")
	f.Optional(
		"types", list(&p.Types, "opened", "synchronize", "reopened", "labeled", "ready_for_review"),
		"Which activity; opened, synchronize, reopened and ready_for_review when the file does not say, and labeled where "+
			"`labels` filters.",
	)
}

// Fields declares the filters.
func (p *Push) Fields(f *schema.Fields) {
	branches(f, &p.Branches, &p.BranchesIgnore, "The branch.")
	f.Optional("tags", patterns(&p.Tags), "The tag.")
	f.Optional("tags-ignore", patterns(&p.TagsIgnore), "Not these tags.")
	f.Exclusive("tags", "tags-ignore")
	paths(f, &p.Paths, &p.PathsIgnore)
}

// Fields declares the filters.
func (w *WorkflowRun) Fields(f *schema.Fields) {
	f.Required("workflows", list(&w.Workflows), "The workflows, by name.")
	branches(f, &w.Branches, &w.BranchesIgnore, "The branch the workflow ran for.")
}

// Fields declares the filters.
func (m *MergeGroup) Fields(f *schema.Fields) {
	branches(f, &m.Branches, &m.BranchesIgnore, "The base branch.")
}

func branches(f *schema.Fields, some, not *[]string, doc string) {
	f.Optional("branches", patterns(some), doc)
	f.Optional("branches-ignore", patterns(not), "Not these branches.")
	f.Exclusive("branches", "branches-ignore")
}

func paths(f *schema.Fields, some, not *[]string) {
	f.Optional("paths", patterns(some), "At least one changed file is like one of these.")
	f.Optional("paths-ignore", patterns(not), "Not when all changed files are like these.")
	f.Exclusive("paths", "paths-ignore")
}

// list is a string, or a list of them; of the names if there are any.
func list(dst *[]string, names ...string) schema.Type {
	item := func(s *string) schema.Type {
		if len(names) > 0 {
			return schema.OneOf(s, names...)
		}
		return schema.Limited(s, 1, maxText)
	}
	var one string
	return schema.Either("a string, or a list of strings",
		schema.Then(item(&one), func() { *dst = []string{one} }), schema.ListOf(dst, item))
}

// maxText bounds names and patterns.
const maxText = 1000

// patterns are GitHub's: * within a part, ** across parts, ? [a-z] +, and ! in front to take out.
func patterns(dst *[]string) schema.Type {
	return schema.Tested(list(dst), func(n *schema.Node) *schema.Fault {
		items := n.Items
		if n.Kind == schema.String {
			items = []*schema.Node{n}
		}
		for _, x := range items {
			if _, err := path.Match(strings.TrimPrefix(x.Text, "!"), ""); err != nil {
				return &schema.Fault{
					At: x, Message: "this pattern does not end its bracket", Found: x.Text,
					Expected: "a pattern such as main or releases/**",
				}
			}
		}
		return nil
	})
}

type cronEntry struct{ expr string }

func (c *cronEntry) Fields(f *schema.Fields) { f.Required("cron", cron(&c.expr), "A cron expression.") }

func schedule(dst *[]string) schema.Type {
	var one string
	var list []cronEntry
	github := schema.Then(schema.Objects(&list), func() {
		*dst = nil
		for _, c := range list {
			*dst = append(*dst, c.expr)
		}
	})
	return schema.Either("a cron expression, or a list of them",
		schema.Then(cron(&one), func() { *dst = []string{one} }), schema.ListOf(dst, cron), github)
}

func cron(dst *string) schema.Type {
	return schema.Parsed(dst, "a cron expression of five fields, such as 0 2 * * *", func(s string) (string, error) {
		if err := checkCron(s); err != nil {
			return "", fmt.Errorf("%q is no cron expression: %w", s, err)
		}
		return s, nil
	})
}
