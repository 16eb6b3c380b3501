package deploy

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gantry-ci/gantry/jobs"
	"github.com/gantry-ci/gantry/results"
	"github.com/gantry-ci/gantry/runner/deploy/testdef"
	"github.com/gantry-ci/gantry/runner/flow"
	"github.com/gantry-ci/gantry/runner/overlay"
	"github.com/gantry-ci/gantry/runner/plan"
)

// library is the repositories and archives that the test definitions of a deploy come from; each is fetched one time,
// however many definitions it has.
type library struct {
	folder  string // in the run's
	fetcher testdef.Fetcher
	trees   []*tree
	parse   []func(ctx context.Context, r *plan.Run) error // fill in what was fetched, in the job's order
	parsed  *map[*jobs.Definition]*jobs.TestDefinition
	os      string // the distribution of the target's root file system, or ""
}

// tree is a repository or an archive.
type tree struct {
	src    testdef.Source
	dir    string // where it is, after it was fetched
	commit string
}

// testdefsDir is their folder in the run's folder.
const testdefsDir = "testdefs"

func newLibrary(b *plan.Builder, os string) *library {
	return &library{
		folder: b.Folder(testdefsDir), fetcher: testdef.Fetcher{Policy: b.Policy.Fetch()},
		parsed: plan.Provide(b, flow.TestSources), os: os,
	}
}

// tree is the one with this source.
func (l *library) tree(src testdef.Source) *tree {
	i := slices.IndexFunc(l.trees, func(t *tree) bool { return reflect.DeepEqual(t.src, src) }) // it may have headers
	if i >= 0 {
		return l.trees[i]
	}
	t := &tree{src: src}
	l.trees = append(l.trees, t)
	return t
}

// addFetched adds a definition that comes from git or a URL.
func (l *library) addFetched(b *plan.Builder, d *jobs.Definition, def *overlay.Definition) {
	src := testdef.Source{
		From: d.From, URL: d.URL, Branch: d.Branch, Revision: d.Revision, History: d.History, Recursive: d.Recursive,
		Compression: d.Compression, StripComponents: d.StripComponents, Headers: d.Headers,
	}
	if d.From == testdef.URL {
		src.Name = d.Path
	}
	if err := l.fetcher.Check(&src); err != nil {
		b.ErrorAt(d.Line, "repository: %w", err)
	}
	from := l.tree(src)
	l.parse = append(l.parse, func(ctx context.Context, r *plan.Run) error {
		t, err := testdef.Parse(from.dir, d.Path)
		if err != nil {
			return err
		}
		fill(def, t, d.Parameters, l.os)
		def.Tree = os.DirFS(from.dir)
		if from.commit != "" {
			def.Metadata = append(def.Metadata, overlay.Var{Name: "COMMIT", Value: from.commit})
		}
		if err := l.fetchRepos(ctx, r, d, t, def); err != nil {
			return err
		}
		(*l.parsed)[d] = t
		return nil
	})
}

// addInline adds a definition that the job has itself; its git-repos are fetched.
func (l *library) addInline(b *plan.Builder, d *jobs.Definition, def *overlay.Definition) {
	fill(def, d.Repository, d.Parameters, l.os)
	repos := d.Repository.Install.GitRepos
	if len(repos) == 0 || skipsRepos(d) {
		return
	}
	for _, repo := range repos {
		if err := l.fetcher.Check(&testdef.Source{From: testdef.Git, URL: repo.URL, Branch: repo.Branch}); err != nil {
			b.ErrorAt(d.Line, "install.git-repos: %w", err)
		}
	}
	l.parse = append(l.parse, func(ctx context.Context, r *plan.Run) error {
		return l.fetchRepos(ctx, r, d, d.Repository, def)
	})
}

func skipsRepos(d *jobs.Definition) bool {
	return slices.Contains(d.SkipInstall, overlay.SkipGitRepos) || slices.Contains(d.SkipInstall, overlay.SkipAll)
}

// fetchRepos fetches the git-repos of a definition.
func (l *library) fetchRepos(
	ctx context.Context, r *plan.Run, d *jobs.Definition, t *jobs.TestDefinition, def *overlay.Definition,
) error {
	def.Install.Repos = nil
	if skipsRepos(d) {
		return nil
	}
	for _, repo := range t.Install.GitRepos {
		from := l.tree(testdef.Source{From: testdef.Git, URL: repo.URL, Branch: repo.Branch, History: true})
		if err := l.fetch(ctx, r, from); err != nil {
			return err
		}
		dir := repo.Destination
		if dir == "" {
			dir = strings.TrimSuffix(path.Base(strings.TrimRight(repo.URL, "/")), ".git")
		}
		def.Install.Repos = append(def.Install.Repos, overlay.Repo{Dir: path.Clean(dir), Tree: os.DirFS(from.dir)})
	}
	return nil
}

// fetch fetches a tree, unless it is there.
func (l *library) fetch(ctx context.Context, r *plan.Run, t *tree) error {
	if t.dir != "" {
		return nil
	}
	dir := filepath.Join(r.Dir, l.folder, strconv.Itoa(slices.Index(l.trees, t)))
	if err := os.RemoveAll(dir); err != nil { // of an attempt that failed
		return results.Blame(results.ClassInfrastructure, err)
	}
	commit, err := l.fetcher.Fetch(ctx, &t.src, dir)
	if err != nil {
		return err
	}
	t.dir, t.commit = dir, commit
	r.Logf("info", "%s: %s", t.src.Redacted(), strings.TrimSpace("fetched "+commit))
	return nil
}

// addSteps adds the steps that fetch and parse. What they fetched is removed at the end of the run.
func (l *library) addSteps(b *plan.Builder) {
	if len(l.parse) == 0 {
		return
	}
	b.Step("test-definition", results.ClassInfrastructure, func(_ context.Context, r *plan.Run) error {
		for _, t := range l.trees {
			t.dir = "" // an earlier attempt's is gone
		}
		*l.parsed = map[*jobs.Definition]*jobs.TestDefinition{}
		return makeFolder(r, l.folder, 0o700)
	})
	for _, t := range slices.Clone(l.trees) {
		b.Group("test-definition-retry", downloadAttempts, func(b *plan.Builder) {
			b.Step(t.src.From+"-repo-action", results.ClassJob, func(ctx context.Context, r *plan.Run) error {
				return l.fetch(ctx, r, t)
			})
		})
	}
	b.Step("test-install-overlay", results.ClassJob, func(ctx context.Context, r *plan.Run) error {
		for _, parse := range l.parse {
			if err := parse(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
}
