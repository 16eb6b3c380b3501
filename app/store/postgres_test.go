package store

import (
	"testing"

	pgtest "github.com/gantry-ci/gantry/test/postgres"
)

func TestPostgres(t *testing.T) {
	dsn := pgtest.Start(t)
	for name, test := range map[string]func(*testing.T, *Store){
		"deliveries": testDeliveries, "checks": testChecks, "pulls": testPulls, "schedule": testSchedule,
		"requeue": testRequeue,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), Options{DSN: dsn})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			test(t, s)
		})
	}
}
