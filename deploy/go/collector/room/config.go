// Package room keeps queues on disk from losing items when the disk fills.
//
// The collector's persistent queue skips an item for good when the disk has no room for the note that the item is being
// sent (persistent_queue.go, getNextItem), although it was acknowledged. This storage extension stands between queues and
// file_storage: nothing is added while the disk has less than a reserve left, so that taking out still finds room; and
// taking out that finds none all the same, because something else filled the disk, waits instead of failing.
package room

import (
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config says where items are kept and how much of the disk stays free.
type Config struct {
	// Storage is the extension that keeps the items.
	Storage component.ID `mapstructure:"storage"`
	// Directory is a folder on the disk that is watched: that of the storage.
	Directory string `mapstructure:"directory"`
	// ReserveMiB is what stays free for taking items out.
	ReserveMiB uint64 `mapstructure:"reserve_mib"`
	// Retry is the time between two tries to take an item out of a full disk.
	Retry time.Duration `mapstructure:"retry"`
}

// Validate names what is wrong with the configuration.
func (c *Config) Validate() error {
	if c.Directory == "" {
		return errors.New("directory must name a folder on the storage's disk")
	}
	if c.Retry <= 0 {
		return errors.New("retry must be more than 0")
	}
	return nil
}
