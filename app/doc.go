// Package app is the lifecycle of the app: it wires intake, control steps, checks, the scheduler, the runners' API and
// the pages together, and starts and stops them in order. It knows neither signals nor flags, so that tests and `gantry
// dev` can run one or several in their own process.
package app
