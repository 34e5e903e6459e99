package room

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

const mebibyte = 1 << 20

// client passes operations on to the storage's client: what adds an item only while there is room, anything else until
// there is.
type client struct {
	storage.Client
	keeper *keeper
	free   func() (uint64, error)
}

// Batch refuses to add an item when the reserve would be used, and waits with anything else until the disk has room.
func (c *client) Batch(ctx context.Context, ops ...*storage.Operation) error {
	if addsItem(ops) {
		if err := c.hasRoom(); err != nil {
			return err
		}
		return c.Client.Batch(ctx, ops...)
	}
	for waited := false; ; waited = true {
		err := c.Client.Batch(ctx, ops...)
		if !isFull(err) {
			return err
		}
		if !waited {
			c.keeper.logger.Error("no room on the disk: the queue waits, nothing is lost", zap.Error(err))
		}
		if !c.wait(ctx) {
			return err
		}
	}
}

func (c *client) hasRoom() error {
	free, err := c.free()
	if err != nil {
		return err
	}
	if free < c.keeper.cfg.ReserveMiB*mebibyte {
		return fmt.Errorf(
			"%w: %s has %d MiB left, and %d MiB stay free for what is queued already",
			storage.ErrStorageFull, c.keeper.cfg.Directory, free/mebibyte, c.keeper.cfg.ReserveMiB,
		)
	}
	return nil
}

// wait returns false when there is nothing more to wait for.
func (c *client) wait(ctx context.Context) bool {
	timer := time.NewTimer(c.keeper.cfg.Retry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-c.keeper.stop:
		return false
	}
}

// addsItem says whether a batch puts something into the queue: it only sets, and one of its keys is an item's number.
func addsItem(ops []*storage.Operation) bool {
	numbered := false
	for _, op := range ops {
		if op.Type != storage.Set {
			return false
		}
		if _, err := strconv.ParseUint(op.Key, 10, 64); err == nil {
			numbered = true
		}
	}
	return numbered
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
