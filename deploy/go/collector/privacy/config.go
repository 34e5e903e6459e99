// Package privacy applies one content setting and one redaction table to every sender's telemetry.
//
// It stands before the first durable queue, so that neither a prompt that was not to be captured nor a secret reaches a
// queue file, a store or a dead letter. The redaction processor of the contrib repository reaches attributes and log
// bodies only, and matches every pattern against every value; this one reaches every text (span names, status messages,
// events, links, nested values, exemplars) and runs a pattern only where its hint stands in the text.
package privacy

import (
	"fmt"
	"regexp"
)

// Content says how much of prompts and outputs stays.
const (
	ContentOff      = "off"
	ContentMetadata = "metadata"
	ContentFull     = "full"
)

// Config is generated from the tables of instrumentation/spyglass (dialects and redaction).
type Config struct {
	// Content is off, metadata or full.
	Content string `mapstructure:"content"`
	// Redact switches the patterns on.
	Redact bool `mapstructure:"redact"`
	// Patterns are tried in order.
	Patterns []Pattern `mapstructure:"patterns"`
	// Custom holds the user's own regular expressions, one per line.
	Custom string `mapstructure:"custom"`
	// ContentKeys name the attributes that hold prompts, outputs, tool arguments and results.
	ContentKeys []ContentKey `mapstructure:"content_keys"`
	// ContentEvents are prefixes of the names of span events and log records whose texts are content.
	ContentEvents []string `mapstructure:"content_events"`
	// ContentEventKeys are the attributes of such events that are texts.
	ContentEventKeys []string `mapstructure:"content_event_keys"`
}

// Pattern is one kind of secret. It is tried only on texts that hold one of the hints (in any case; any text, if there
// is none) and at least MinDigits digits. In the replacement ${1} is the text that the first group keeps.
type Pattern struct {
	Name        string   `mapstructure:"name"`
	Regex       string   `mapstructure:"regex"`
	Replacement string   `mapstructure:"replacement"`
	Hints       []string `mapstructure:"hints"`
	MinDigits   int      `mapstructure:"min_digits"`
}

// How the key of a ContentKey is matched.
const (
	matchExact   = "exact"
	matchPrefix  = "prefix"
	matchIndexed = "indexed" // a prefix that a digit follows
)

// ContentKey is an attribute, or a family of attributes, and what it holds: input, output or other.
type ContentKey struct {
	Key   string `mapstructure:"key"`
	Match string `mapstructure:"match"`
	Part  string `mapstructure:"part"`
}

// Validate names what is wrong with the configuration.
func (c *Config) Validate() error {
	switch c.Content {
	case ContentOff, ContentMetadata, ContentFull:
	default:
		return fmt.Errorf("content: %q is none of off, metadata, full", c.Content)
	}
	for _, pattern := range c.Patterns {
		if _, err := regexp.Compile(pattern.Regex); err != nil {
			return fmt.Errorf("pattern %s: %w", pattern.Name, err)
		}
	}
	for _, key := range c.ContentKeys {
		if key.Match != matchExact && key.Match != matchPrefix && key.Match != matchIndexed {
			return fmt.Errorf("content key %s: %q is none of exact, prefix, indexed", key.Key, key.Match)
		}
	}
	for _, line := range lines(c.Custom) {
		if _, err := regexp.Compile(line); err != nil {
			return fmt.Errorf("SPYGLASS_REDACT_PATTERNS: %q is not a regular expression (RE2): %w", line, err)
		}
	}
	return nil
}
