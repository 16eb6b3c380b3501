// Package ghapi is a client of GitHub's API as an App. Each installation has its own client, with its own token, that
// keeps to GitHub's rate limits by itself. No other package knows go-github: the types here are small ones of our own.
// The address of the API is configured and never comes from a webhook.
package ghapi
