package fakegithub

import (
	"fmt"
	"net/http"
	"time"
)

// GitHub's limits for one installation.
const (
	contentMinute = 80
	contentHour   = 500
)

// budget counts the requests of one installation (or of the App itself).
type budget struct {
	reset  time.Time
	used   int
	writes []time.Time // of the last hour
}

func (c *call) budget() *budget {
	name := c.auth.budget()
	b, ok := c.limits[name]
	if !ok {
		b = &budget{}
		c.limits[name] = b
	}
	if now := c.now(); !now.Before(b.reset) {
		b.reset, b.used = now.Add(time.Hour).Truncate(time.Second), 0
	}
	return b
}

// overLimit refuses what GitHub would, by the server's clock. The lock is held.
func (c *call) overLimit() (reply, bool) {
	b := c.budget()
	if b.used >= c.opts.HourlyBudget {
		out := c.refuse(
			RuleLimit, http.StatusForbidden, "API rate limit exceeded for installation.", "the hourly budget is spent",
		)
		return out, true
	}
	if !c.opts.ContentLimits || c.r.Method == http.MethodGet || c.auth.installation == nil {
		return reply{}, false
	}
	now := c.now()
	for len(b.writes) > 0 && now.Sub(b.writes[0]) >= time.Hour {
		b.writes = b.writes[1:]
	}
	minute := 0
	for _, at := range b.writes {
		if now.Sub(at) < time.Minute {
			minute++
		}
	}
	if minute >= contentMinute || len(b.writes) >= contentHour {
		reason := fmt.Sprintf("%d writes in a minute, %d in an hour", minute+1, len(b.writes)+1)
		c.broken = c.violation(RuleLimit, http.StatusForbidden, reason)
		out := secondaryLimit(
			http.StatusForbidden,
			"You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry "+
				"your request again later.",
		)
		out.header = http.Header{"Retry-After": {"60"}}
		return out, true
	}
	b.writes = append(b.writes, now)
	return reply{}, false
}

// limitHeaders counts the request and says so; free requests are not counted.
func (s *Server) limitHeaders(c *call, h http.Header, free bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := c.budget()
	if !free && c.r.URL.Path != "/rate_limit" {
		b.used++
	}
	set := func(name string, value any) {
		if h.Get(name) == "" {
			h.Set(name, fmt.Sprint(value))
		}
	}
	set("X-RateLimit-Limit", s.opts.HourlyBudget)
	set("X-RateLimit-Remaining", max(0, s.opts.HourlyBudget-b.used))
	set("X-RateLimit-Used", b.used)
	set("X-RateLimit-Reset", b.reset.Unix())
	set("X-RateLimit-Resource", "core")
}

func (c *call) getRateLimit() reply {
	b := c.budget()
	core := object{
		"limit": c.opts.HourlyBudget, "used": b.used, "remaining": max(0, c.opts.HourlyBudget-b.used),
		"reset": b.reset.Unix(),
	}
	search := object{"limit": 30, "used": 0, "remaining": 30, "reset": b.reset.Unix()}
	return ok(object{"resources": object{"core": core, "search": search}, "rate": core})
}

// secondaryLimit is the answer by whose link clients tell this limit from a lack of permission.
func secondaryLimit(status int, message string) reply {
	out := failure(status, message)
	if body, isObject := out.body.(object); isObject {
		body["documentation_url"] = "https://docs.github.com/free-pro-team@latest/rest/overview/" +
			"rate-limits-for-the-rest-api#about-secondary-rate-limits"
	}
	return out
}
