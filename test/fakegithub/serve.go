package fakegithub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// maxRequest bounds a request's body; GitHub refuses far smaller ones.
const maxRequest = 10 << 20

// object is a JSON object. Answers are built of these and then validated, which
// is what keeps them true to GitHub's many required fields.
type object = map[string]any

// call is one request on its way through the server.
type call struct {
	*Server
	r      *http.Request
	path   string // without the /api/v3 prefix, as sent
	op     *operation
	body   []byte
	auth   authorization
	broken *Violation // what the handler refused, if it is a violation
}

// reply is what a handler answers: body as JSON, or raw with its content type.
type reply struct {
	status      int
	header      http.Header
	body        any
	raw         []byte
	contentType string
}

// endpoint serves one operation.
type endpoint struct {
	who        audience
	permission string // "checks:write", or one of several: "a:read|b:read"; "" for none
	serve      func(*call) reply
}

// Request is one request as the server saw it.
type Request struct {
	// Operation is the name in GitHub's description, "GET /repos/{owner}/{repo}"; empty if there is none.
	Operation string

	Method string
	Path   string // with the query
	Status int    // 0 when the connection was dropped
	Body   []byte
}

// Requests returns every API request since the start, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ServeHTTP answers as GitHub's API does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.download(w, r) {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	if string(bytes.TrimSpace(body)) == "null" {
		body = nil // GitHub takes it for no body, and client libraries count on that
	}
	c := &call{Server: s, r: withoutPrefix(r), body: body}
	c.path = c.r.URL.RequestURI()
	fault := s.takeFault(c.r)
	out, done := fault.before(c)
	if !done {
		out = c.answer(r.Context())
	}
	out = out.conditional(c.r)
	s.limitHeaders(c, out.header, out.status == http.StatusNotModified || done)
	status := out.status
	if fault.losesReply() {
		status = 0
	}
	seen := Request{Method: r.Method, Path: c.path, Status: status, Body: body}
	if c.op != nil {
		seen.Operation = c.op.name
	}
	s.mu.Lock()
	s.requests = append(s.requests, seen)
	s.mu.Unlock()
	s.opts.Logger.Info("request", "method", r.Method, "path", c.path, "status", status)
	if fault.losesReply() {
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	}
	out.write(w)
}

func withoutPrefix(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/api/v3")
	r.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, "/api/v3")
	return r
}

// answer takes the request through every check to its handler.
func (c *call) answer(ctx context.Context) reply {
	out := c.handle(ctx).encode()
	if c.op != nil && out.raw != nil && strings.HasPrefix(out.contentType, "application/json") {
		header := http.Header{"Content-Type": {"application/json"}}
		if err := c.op.checkResponse(ctx, out.status, header, out.raw); err != nil {
			c.broken = c.violation(RuleResponse, http.StatusInternalServerError, fmt.Sprintf("status %d: %v", out.status, err))
			out = failure(http.StatusInternalServerError, err.Error()).encode()
		}
	}
	if c.broken != nil {
		c.violate(c.broken)
	}
	return out
}

func (c *call) handle(ctx context.Context) reply {
	op, err := c.spec.match(c.r)
	if err != nil {
		return c.refuse(RuleUnknown, http.StatusNotFound, "Not Found", err.Error())
	}
	c.op = op
	ep, ok := c.routes[op.name]
	if !ok {
		return c.refuse(RuleUnknown, http.StatusNotFound, "Not Found", op.name+" is not served")
	}
	if c.r.UserAgent() == "" {
		return c.refuse(RuleGitHub, http.StatusForbidden, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header", "no User-Agent")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if out, refused := c.authorize(ep); refused {
		return out
	}
	if out, refused := c.overLimit(); refused {
		return out
	}
	if err := op.checkRequest(ctx, c.body); err != nil {
		return c.refuse(RuleRequest, http.StatusUnprocessableEntity, "Invalid request.\n\n"+err.Error(), err.Error())
	}
	return ep.serve(c)
}

// refuse answers an error that a correct client never gets, and records why.
func (c *call) refuse(rule Rule, status int, message, reason string) reply {
	c.broken = c.violation(rule, status, reason)
	return failure(status, message)
}

// invalid refuses a request that fits the description but not GitHub's rules.
func (c *call) invalid(format string, args ...any) reply {
	message := fmt.Sprintf(format, args...)
	return c.refuse(RuleGitHub, http.StatusUnprocessableEntity, message, message)
}

func (c *call) violation(rule Rule, status int, reason string) *Violation {
	return &Violation{Rule: rule, Method: c.r.Method, Path: c.r.URL.Path, Status: status, Reason: reason}
}

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

// decode reads the body, which the description has already been checked against.
func (c *call) decode(v any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	return json.Unmarshal(c.body, v)
}

// ok answers 200.
func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

// failure answers an error in GitHub's form.
func failure(status int, message string) reply {
	return reply{status: status, body: object{
		"message":           message,
		"documentation_url": "https://docs.github.com/rest",
		"status":            fmt.Sprint(status),
	}}
}

func notFound() reply { return failure(http.StatusNotFound, "Not Found") }

func (out reply) encode() reply {
	if out.header == nil {
		out.header = http.Header{}
	}
	if out.raw == nil && out.body != nil {
		var err error
		if out.raw, err = json.Marshal(out.body); err != nil {
			return failure(http.StatusInternalServerError, err.Error()).encode()
		}
		out.contentType = "application/json; charset=utf-8"
	}
	return out
}

// conditional adds the entity tag, and answers 304 to who has that already.
func (out reply) conditional(r *http.Request) reply {
	if out.header == nil {
		out.header = http.Header{}
	}
	if r.Method != http.MethodGet || out.status != http.StatusOK {
		return out
	}
	sum := sha256.Sum256(out.raw)
	tag := `"` + hex.EncodeToString(sum[:]) + `"`
	out.header.Set("ETag", tag)
	out.header.Set("Cache-Control", "private, max-age=60, s-maxage=60")
	out.header.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With")
	for have := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(have), "W/") == tag {
			out.status, out.raw = http.StatusNotModified, nil
		}
	}
	return out
}

func (out reply) write(w http.ResponseWriter) {
	h := w.Header()
	maps.Copy(h, out.header)
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	h.Set("X-GitHub-Request-Id", strings.ToUpper(uuid.NewString()))
	h.Set("X-GitHub-Api-Version-Selected", "2022-11-28")
	if out.raw != nil {
		h.Set("Content-Type", out.contentType)
	}
	w.WriteHeader(out.status)
	_, _ = w.Write(out.raw) // a client that is gone is the client's business
}

// paged cuts one page out of items, and adds the Link header for the others.
func paged[T any](c *call, items []T) ([]T, http.Header, error) {
	size, page, err := pageOf(c.r.URL.Query())
	if err != nil {
		return nil, nil, err
	}
	last := max(1, (len(items)+size-1)/size)
	header := http.Header{}
	var links []string
	link := func(to int, rel string) {
		u := *c.r.URL
		q := u.Query()
		q.Set("page", fmt.Sprint(to))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s%s>; rel="%s"`, c.url, u.RequestURI(), rel))
	}
	if page > 1 {
		link(page-1, "prev")
		link(1, "first")
	}
	if page < last {
		link(page+1, "next")
		link(last, "last")
	}
	if links != nil {
		header.Set("Link", strings.Join(links, ", "))
	}
	from := min((page-1)*size, len(items))
	return items[from:min(from+size, len(items))], header, nil
}

func pageOf(q url.Values) (size, page int, err error) {
	size, page = 30, 1
	for name, to := range map[string]*int{"per_page": &size, "page": &page} {
		if text := q.Get(name); text != "" {
			if _, err := fmt.Sscan(text, to); err != nil || *to < 1 {
				return 0, 0, errors.New(name + " is not a positive number")
			}
		}
	}
	return min(size, 100), page, nil
}
