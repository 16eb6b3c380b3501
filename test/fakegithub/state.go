package fakegithub

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// state is all that the server knows; Server.mu guards it.
type state struct {
	lastID        int64
	accounts      map[string]*account // by lower-case login
	installations []*installation
	repos         map[string]*repository // by lower-case owner/name
	ordered       []*repository          // in the order they were made
	tokens        map[string]*token
	deliveries    []*delivery
	manifests     map[string]bool // codes that have been converted
}

func newState() state {
	return state{
		accounts: map[string]*account{}, repos: map[string]*repository{}, tokens: map[string]*token{},
		manifests: map[string]bool{},
	}
}

// id returns an id that no other thing has, of the size GitHub's ids have now.
func (st *state) id() int64 {
	st.lastID++
	return 7_400_000_000 + st.lastID
}

// account is a user, an organization or an App's bot.
type account struct {
	id    int64
	login string
	kind  string // User, Organization, Bot
}

// installation is the App installed on an account.
type installation struct {
	id          int64
	account     *account
	selection   string // all, selected
	permissions map[string]string
	events      []string
	created     time.Time
	suspended   bool
}

// repository is a repository with all that belongs to it.
type repository struct {
	id           int64
	owner        *account
	name         string
	private      bool
	parent       *repository
	installation *installation // nil: the App is not installed on it
	main         string        // the default branch
	created      time.Time
	pushed       time.Time

	commits  map[string]*commit // those of its forks' pull requests too
	branches map[string]string  // name → SHA

	numbers   int // the last issue or pull request
	pulls     []*pull
	suites    []*checkSuite
	checks    []*checkRun
	comments  []*comment
	roles     map[string]string // lower-case login → role
	runs      []*workflowRun
	artifacts []*artifact
}

func (r *repository) fullName() string { return r.owner.login + "/" + r.name }

// account returns the account of a login, made as a user if there is none.
func (st *state) account(login string) *account {
	a, ok := st.accounts[strings.ToLower(login)]
	if !ok {
		a = &account{id: st.id(), login: login, kind: "User"}
		if strings.HasSuffix(login, "[bot]") {
			a.kind = "Bot"
		}
		st.accounts[strings.ToLower(login)] = a
	}
	return a
}

func (st *state) installationOf(owner *account) *installation {
	for _, inst := range st.installations {
		if inst.account == owner {
			return inst
		}
	}
	return nil
}

// nodeID imitates GitHub's global ids: a type prefix and an opaque part.
func nodeID(prefix string, id int64) string {
	return prefix + "_kwDO" + base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(id))[2:])
}

// stamp formats a time as GitHub does; nil for none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// orNull is nil, JSON's null, for an empty string.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Repo is a handle on a repository.
type Repo struct {
	server *Server
	repo   *repository
	// ID is GitHub's id of the repository.
	ID int64
	// Owner and Name make up the full name.
	Owner, Name string
}

// FullName is owner/name.
func (r *Repo) FullName() string { return r.Owner + "/" + r.Name }

func (s *Server) handle(repo *repository) *Repo {
	return &Repo{server: s, repo: repo, ID: repo.id, Owner: repo.owner.login, Name: repo.name}
}

// AddRepo adds a private repository whose default branch main is one commit: the
// files of the folder dir, as they are now.
func (s *Server) AddRepo(owner, name, dir string) (*Repo, error) {
	files, err := readTree(dir)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, err := s.newRepo(owner, name)
	if err != nil {
		return nil, err
	}
	repo.private = true
	first := newCommit(files, "", "Initial commit", repo.owner, s.now())
	repo.commits[first.sha] = first
	repo.branches[repo.main] = first.sha
	return s.handle(repo), nil
}

func (s *Server) newRepo(owner, name string) (*repository, error) {
	by := s.state.account(owner)
	key := strings.ToLower(by.login + "/" + name)
	if _, ok := s.state.repos[key]; ok {
		return nil, fmt.Errorf("add repository %s/%s: it is there already", owner, name)
	}
	if owner == "" || name == "" || strings.ContainsAny(owner+name, "/ ") {
		return nil, errors.New("add repository: owner and name are one word each")
	}
	repo := &repository{
		id: s.state.id(), owner: by, name: name, main: "main", created: s.now(), pushed: s.now(),
		installation: s.state.installationOf(by),
		commits:      map[string]*commit{}, branches: map[string]string{}, roles: map[string]string{},
	}
	repo.roles[strings.ToLower(by.login)] = "admin"
	s.state.repos[key] = repo
	s.state.ordered = append(s.state.ordered, repo)
	return repo, nil
}

// Fork copies the repository to another account, and makes both public.
func (r *Repo) Fork(owner string) (*Repo, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	fork, err := s.newRepo(owner, r.Name)
	if err != nil {
		return nil, err
	}
	fork.parent, r.repo.private = r.repo, false
	maps.Copy(fork.commits, r.repo.commits)
	maps.Copy(fork.branches, r.repo.branches)
	return s.handle(fork), nil
}

// Repo returns the repository of a full name, owner/name, or nil.
func (s *Server) Repo(fullName string) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if repo, ok := s.state.repos[strings.ToLower(fullName)]; ok {
		return s.handle(repo)
	}
	return nil
}

// SetRole gives a user a role in the repository: read, triage, write, maintain, admin or none.
func (r *Repo) SetRole(login, role string) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.server.state.account(login)
	r.repo.roles[strings.ToLower(login)] = cmp.Or(role, "none")
}
