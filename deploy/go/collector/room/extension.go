package room

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

var componentType = component.MustNewType("spyglass_room")

// keeper is the extension: it hands out clients of the storage behind it.
type keeper struct {
	cfg     *Config
	logger  *zap.Logger
	storage storage.Extension
	stop    chan struct{}
}

// NewFactory makes the extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		componentType,
		func() component.Config {
			return &Config{Storage: component.MustNewID("file_storage"), ReserveMiB: 64, Retry: time.Second}
		},
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &keeper{cfg: cfg.(*Config), logger: set.Logger, stop: make(chan struct{})}, nil
		},
		component.StabilityLevelBeta,
	)
}

// Dependencies makes the collector start the storage first.
func (k *keeper) Dependencies() []component.ID {
	return []component.ID{k.cfg.Storage}
}

// Start finds the storage among the extensions.
func (k *keeper) Start(_ context.Context, host component.Host) error {
	found, ok := host.GetExtensions()[k.cfg.Storage].(storage.Extension)
	if !ok {
		return fmt.Errorf("%s is no storage extension of this collector", k.cfg.Storage)
	}
	k.storage = found
	return nil
}

// Shutdown ends all waiting.
func (k *keeper) Shutdown(context.Context) error {
	close(k.stop)
	return nil
}

// GetClient returns a client that minds the room on the disk.
func (k *keeper) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	inner, err := k.storage.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	return &client{Client: inner, keeper: k, free: k.free}, nil
}

// free returns how many bytes the disk has left for us.
func (k *keeper) free() (uint64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(k.cfg.Directory, &stat); err != nil {
		return 0, fmt.Errorf("cannot ask how much room %s has: %w", k.cfg.Directory, err)
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}
