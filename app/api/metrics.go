package api

import "github.com/prometheus/client_golang/prometheus"

// newMetrics registers with r, if there is one; connected counts the streams.
func newMetrics(r prometheus.Registerer, connected func() int) (appended *prometheus.CounterVec) {
	appended = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gantry_appended_bytes_total", Help: "Bytes that runners have uploaded, resent ones counted again.",
	}, []string{"stream"})
	if r != nil {
		r.MustRegister(appended, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "gantry_runners_connected", Help: "Runners with a stream to this replica.",
		}, func() float64 { return float64(connected()) }))
	}
	return appended
}
