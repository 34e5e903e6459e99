// Package steady sends cumulative metrics when they change, and again now and then while they do not.
//
// Metrics made from spans come either once a second for every series (span_metrics), which Prometheus pays for, or only
// when a span came (signal_to_metrics), so that the rate of a counter which moves seldom reads nothing. This processor
// makes both alike, as a scrape would: a change goes out within the interval, anything else at every repetition. A
// series begins with the time before its first value as its start, from which Prometheus knows that it was 0.
package steady

import (
	"errors"
	"time"
)

// Config holds how often series are sent.
type Config struct {
	// Interval is the longest time that a change waits.
	Interval time.Duration `mapstructure:"interval"`
	// Repeat is the time after which a series that did not change is sent again.
	Repeat time.Duration `mapstructure:"repeat"`
	// Forget is the time after which a series that did not change is sent no more.
	Forget time.Duration `mapstructure:"forget"`
}

// Validate names what is wrong with the configuration.
func (c *Config) Validate() error {
	if c.Interval <= 0 || c.Repeat < c.Interval || c.Forget < c.Repeat {
		return errors.New("0 < interval <= repeat <= forget must hold")
	}
	return nil
}
