// Package export writes a run's results as others read them: JUnit XML for code hosts and editors, LAVA's list of
// results for the dashboards that read LAVA (SQUAD, KCIDB). The runner leaves both in a run's folder; the app makes
// them of the run's events.
package export
