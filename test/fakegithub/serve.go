package fakegithub

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
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
	s.wake()
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
		return c.refuse(
			RuleGitHub, http.StatusForbidden,
			"Request forbidden by administrative rules. Please make sure your request has a User-Agent header", "no User-Agent",
		)
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
