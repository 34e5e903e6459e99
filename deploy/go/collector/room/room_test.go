package room

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// disk is a storage client whose next batches fail with the given errors.
type disk struct {
	storage.Client
	failures []error
	batches  int
}

func (d *disk) Batch(context.Context, ...*storage.Operation) error {
	d.batches++
	if len(d.failures) == 0 {
		return nil
	}
	err := d.failures[0]
	d.failures = d.failures[1:]
	return err
}

func clientOf(d *disk, free uint64) *client {
	k := &keeper{
		cfg:    &Config{Directory: "/data", ReserveMiB: 64, Retry: time.Millisecond},
		logger: zap.NewNop(),
		stop:   make(chan struct{}),
	}
	return &client{Client: d, keeper: k, free: func() (uint64, error) { return free, nil }}
}

var (
	full = fmt.Errorf("write: %w", syscall.ENOSPC)
	put  = []*storage.Operation{storage.SetOperation("qmv0", nil), storage.SetOperation("17", []byte("item"))}
	take = []*storage.Operation{storage.SetOperation("qmv0", nil), storage.GetOperation("17")}
	done = []*storage.Operation{storage.SetOperation("qmv0", nil), storage.DeleteOperation("17")}
)

func TestNothingIsAddedFromTheReserve(t *testing.T) {
	d := &disk{}
	err := clientOf(d, 63*mebibyte).Batch(context.Background(), put...)
	if !errors.Is(err, storage.ErrStorageFull) || d.batches != 0 {
		t.Fatalf("err %v after %d batches", err, d.batches)
	}
	if err := clientOf(d, 64*mebibyte).Batch(context.Background(), put...); err != nil || d.batches != 1 {
		t.Fatalf("err %v after %d batches", err, d.batches)
	}
}

func TestAddingToAFullDiskFailsAtOnce(t *testing.T) {
	d := &disk{failures: []error{full}}
	if err := clientOf(d, 64*mebibyte).Batch(context.Background(), put...); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func TestTakingOutUsesTheReserveAndWaitsForRoom(t *testing.T) {
	for _, ops := range [][]*storage.Operation{take, done} {
		d := &disk{failures: []error{full, full}}
		if err := clientOf(d, 0).Batch(context.Background(), ops...); err != nil || d.batches != 3 {
			t.Fatalf("err %v after %d batches", err, d.batches)
		}
	}
}

func TestOtherErrorsAreNotWaitedFor(t *testing.T) {
	d := &disk{failures: []error{errors.New("closed")}}
	if err := clientOf(d, 0).Batch(context.Background(), take...); err == nil || d.batches != 1 {
		t.Fatalf("err %v after %d batches", err, d.batches)
	}
}

func TestShutdownEndsTheWaiting(t *testing.T) {
	d := &disk{failures: []error{full, full, full}}
	c := clientOf(d, 0)
	if err := c.keeper.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := c.Batch(context.Background(), take...); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	for _, cfg := range []*Config{{Retry: time.Second}, {Directory: "/data"}} {
		if cfg.Validate() == nil {
			t.Fatalf("%+v is accepted", cfg)
		}
	}
}
