package fakegithub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/gantry-ci/gantry/test/fakegithub/octokit"
)

// spec is GitHub's OpenAPI description, ready to match and validate.
type spec struct {
	router routers.Router
}

// multiSegment are the parameters that GitHub lets run over slashes.
func multiSegment(path string) string {
	for _, p := range []string{
		"contents/{path}", "git/ref/{ref}", "git/matching-refs/{ref}", "tarball/{ref}",
		"compare/{basehead}", "branches/{branch}",
	} {
		if strings.HasSuffix(path, p) {
			return strings.TrimSuffix(path, "}") + ":.*}"
		}
	}
	return path
}

// operationPath undoes multiSegment.
func operationPath(path string) string { return strings.Replace(path, ":.*}", "}", 1) }

func loadSpec(ctx context.Context, file string) (*spec, error) {
	if file == "" {
		files, err := octokit.Locate(ctx)
		if err != nil {
			return nil, fmt.Errorf("set up GitHub's OpenAPI: %w", err)
		}
		file = files.OpenAPI
	}
	return loadOnce.load(ctx, file)
}

// specCache keeps descriptions by their file: loading one takes 60 ms, a second
// under the race detector, and a description is never changed once it is loaded.
type specCache struct {
	mu    sync.Mutex
	specs map[string]*spec
}

//nolint:gochecknoglobals // a cache of read-only data, shared by the many servers of a test binary
var loadOnce = specCache{specs: map[string]*spec{}}

func (sc *specCache) load(ctx context.Context, file string) (*spec, error) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if have, ok := sc.specs[file]; ok {
		return have, nil
	}
	made, err := readSpec(ctx, file)
	if err != nil {
		return nil, err
	}
	sc.specs[file] = made
	return made, nil
}

func readSpec(ctx context.Context, file string) (*spec, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("load GitHub's OpenAPI: %w", err)
	}
	if err := doc.Validate(ctx); err != nil {
		return nil, fmt.Errorf("check GitHub's OpenAPI: %w", err)
	}
	doc.Servers = nil // match any host
	for path, item := range doc.Paths.Map() {
		if wide := multiSegment(path); wide != path {
			doc.Paths.Delete(path)
			doc.Paths.Set(wide, item)
		}
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("route GitHub's OpenAPI: %w", err)
	}
	return &spec{router: router}, nil
}

// operation is one request matched to an operation of GitHub's description.
type operation struct {
	name   string // "GET /repos/{owner}/{repo}"
	params map[string]string
	input  *openapi3filter.RequestValidationInput
}

// match finds the operation of a request; r's path carries no prefix.
func (sp *spec) match(r *http.Request) (*operation, error) {
	route, params, err := sp.router.FindRoute(r)
	if err != nil {
		return nil, err
	}
	for name, value := range params {
		if params[name], err = url.PathUnescape(value); err != nil {
			return nil, fmt.Errorf("path parameter %s: %w", name, err)
		}
		if params[name] == "" {
			params[name] = "/" // the root of the contents, which the description says is no path
		}
	}
	return &operation{
		name:   route.Method + " " + operationPath(route.Path),
		params: params,
		input: &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params, Route: route,
			Options: &openapi3filter.Options{
				SkipSettingDefaults: true, // the handlers read what was sent
				AuthenticationFunc:  openapi3filter.NoopAuthenticationFunc,
			},
		},
	}, nil
}

func (op *operation) checkRequest(ctx context.Context, body []byte) error {
	r := op.input.Request
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if err := openapi3filter.ValidateRequest(ctx, op.input); err != nil {
		return oneLine(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

func (op *operation) checkResponse(ctx context.Context, status int, header http.Header, body []byte) error {
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: op.input, Status: status, Header: header, Options: op.input.Options,
	}
	if err := openapi3filter.ValidateResponse(ctx, in.SetBodyBytes(body)); err != nil {
		return oneLine(err)
	}
	return nil
}

// oneLine leaves out the schema and value that kin-openapi prints after its message.
func oneLine(err error) error {
	if schema, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return fmt.Errorf("/%s: %s", strings.Join(schema.JSONPointer(), "/"), schema.Reason)
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
