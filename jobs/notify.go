package jobs

import "github.com/gantry-ci/gantry/internal/schema"

// Notify says whom to tell of the job's end.
type Notify struct {
	Criteria   Criteria
	Verbosity  string // verbose, quiet or status-only
	Recipients []Recipient
	Callbacks  []Callback
	Compare    *schema.Node
}

// Criteria is when to tell.
type Criteria struct{ Status, Type, DependencyQuery string }

// Recipient is whom to tell by mail or IRC.
type Recipient struct{ Method, User, Email, Handle, Server string }

// Callback is a request to make.
type Callback struct{ URL, Method, Token, Header, Dataset, ContentType string }

// Fields declares the block.
func (n *Notify) Fields(f *schema.Fields) {
	f.Required(
		"criteria", schema.Either(
			"a mapping with status",
			schema.Sub(criteria{&n.Criteria, 0}), schema.Sub(criteria{&n.Criteria, 1}), schema.Sub(criteria{&n.Criteria, 2}),
		),
		"When to tell.",
	)
	f.Optional("verbosity", schema.OneOf(&n.Verbosity, "verbose", "quiet", "status-only"), "How much to tell.")
	f.Optional("recipients", schema.ListOf(&n.Recipients, func(r *Recipient) schema.Type {
		return schema.Sub(recipientTo{r})
	}), "Whom to tell.")
	one := new(Callback)
	f.Optional("callback", schema.Then(schema.Sub(one), func() { n.Callbacks = []Callback{*one} }), "A request to make.")
	f.Optional("callbacks", schema.Objects(&n.Callbacks), "Requests to make.")
	f.Exclusive("callback", "callbacks")
	f.Optional("compare", schema.Keeping(&n.Compare, schema.Sub(compare{})), "Which earlier results to compare with.")
}

type criteria struct {
	*Criteria
	form int
}

func (c criteria) Fields(f *schema.Fields) {
	const doc = "How the job ended, or where it stands."
	switch c.form {
	case 0:
		f.Required("status", schema.OneOf(&c.Status, "all"), doc)
	case 1:
		f.Required("status", schema.OneOf(&c.Status, "finished", "running", "complete", "canceled", "incomplete"), doc)
		f.Optional("dependency_query", schema.Text(&c.DependencyQuery), "Jobs that must have ended, too.")
	default:
		f.Required("status", schema.OneOf(&c.Status, "complete", "incomplete"), doc)
		f.Optional("type", schema.OneOf(&c.Type, "regression", "progression"), "Only when it ended otherwise before.")
	}
}

type recipientTo struct{ *Recipient }

func (r recipientTo) Fields(f *schema.Fields) { f.Required("to", schema.Sub(r.Recipient), "Whom.") }

// Fields declares a recipient.
func (r *Recipient) Fields(f *schema.Fields) {
	f.Required("method", schema.OneOf(&r.Method, "email", "irc"), "How.")
	f.Optional("user", schema.Text(&r.User), "A user of the lab.")
	f.Optional("email", schema.Text(&r.Email), "A mail address.")
	f.Optional("handle", schema.Text(&r.Handle), "A name on IRC.")
	f.Optional("server", schema.Text(&r.Server), "The IRC server.")
}

// Fields declares a callback.
func (c *Callback) Fields(f *schema.Fields) {
	c.Method, c.Dataset, c.ContentType = "GET", "minimal", "urlencoded"
	f.Required("url", schema.Text(&c.URL), "Where.")
	f.Optional("method", schema.OneOf(&c.Method, "GET", "POST"), "How.")
	f.Optional("token", schema.Text(&c.Token), "The token, or its name.")
	f.Optional("header", schema.Text(&c.Header), "The header that has the token.")
	f.Optional("dataset", schema.OneOf(&c.Dataset, "minimal", "logs", "results", "all"), "What is sent.")
	f.Optional("content-type", schema.OneOf(&c.ContentType, "json", "urlencoded"), "In which form.")
}

// compare is only checked.
type compare struct{}

func (compare) Fields(f *schema.Fields) {
	f.Optional("blacklist", schema.Texts(new([]string)), "Cases to leave out.")
	f.Optional(
		"query",
		schema.Either(
			"a mapping with username and name, or with entity", schema.Sub(namedQuery{}), schema.Sub(entityQuery{}),
		),
		"Which earlier jobs.",
	)
}

type namedQuery struct{}

func (namedQuery) Fields(f *schema.Fields) {
	f.Required("username", schema.Text(new(string)), "Whose query.")
	f.Required("name", schema.Text(new(string)), "The query's name.")
}

type entityQuery struct{}

func (entityQuery) Fields(f *schema.Fields) {
	f.Required("entity", schema.Text(new(string)), "What to look for.")
	f.Optional("conditions", schema.MapOf(new(map[string]string), schema.Text), "What it must fulfil.")
}
