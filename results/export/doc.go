// Package export writes a run's results in formats that others read: JUnit XML for code hosts and editors, LAVA's list
// of results for dashboards that read LAVA (SQUAD, KCIDB). The runner writes both into a run's folder; the app makes
// them from the run's events.
package export
