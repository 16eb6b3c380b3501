// Package app is the app's lifecycle: it wires intake, control steps, checks, the runners' API and the pages together,
// and starts and stops them in order. It knows neither signals nor flags, so that tests and `gantry dev` run it in
// their own process, several at once if they like.
package app
