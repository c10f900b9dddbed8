package sqltest

import "time"

// shanghai is a zone without summer time, eight hours before UTC, that every machine has.
func shanghai() *time.Location {
	if zone, err := time.LoadLocation("Asia/Shanghai"); err == nil {
		return zone
	}
	return time.FixedZone("Asia/Shanghai", 8*60*60)
}
