package fakegithub

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// reply is what a handler answers: body as JSON, or raw with its content type.
type reply struct {
	status      int
	header      http.Header
	body        any
	raw         []byte
	contentType string
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
