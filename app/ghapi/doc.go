// Package ghapi speaks to GitHub's API as an App: a client an installation, each with its own token, with GitHub's
// limits held before GitHub has to. It alone knows go-github; what it takes and gives are small types of its own. The
// address of the API is configured and never comes from a webhook.
package ghapi
