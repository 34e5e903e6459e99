// Package normalise says of every span what it is, whoever sent it, and how many tokens it used.
//
// What it knows of dialects is its configuration, which is generated from the tables of instrumentation/spyglass/dialects.
// This package knows only the forms that a row can have, and the steps that follow once the rows have been read. Each
// span's attributes are walked once into a sheet of numbered slots; rows read and write slots; what changed is written
// back at the end.
package normalise

import (
	"fmt"
	"reflect"
	"regexp"
)

// Config is generated from the tables.
type Config struct {
	// Keys are the attributes that the steps after the rows read and write.
	Keys Keys `mapstructure:"keys"`
	// Tenant says whose a span is that says so neither itself nor by its resource.
	Tenant map[string]string `mapstructure:"tenant"`
	// Kinds are the values of Keys.Kind; another one that a sender wrote is dropped.
	Kinds []string `mapstructure:"kinds"`
	// AgentKind and ModelKinds are those of Kinds that agents and calls of models have.
	AgentKind  string   `mapstructure:"agent_kind"`
	ModelKinds []string `mapstructure:"model_kinds"`
	// KindsByValue says for keys that most spans have which kind follows from which value.
	KindsByValue map[string]map[string]string `mapstructure:"kinds_by_value"`
	// Operations are the names of operations by kind.
	Operations map[string]string `mapstructure:"operations"`
	// Providers are the providers' names by the names that senders use.
	Providers map[string]string `mapstructure:"providers"`
	// Instrumentors name their scopes after what they instrument.
	Instrumentors []Instrumentor `mapstructure:"instrumentors"`
	// Sources are the values of Keys.UsageSource.
	Sources Sources `mapstructure:"sources"`
	// Absurd is the number of tokens, and of seconds, from which on a value cannot be.
	Absurd int64 `mapstructure:"absurd"`
	// Errors says where the type of an error stands when its attribute is missing.
	Errors Errors `mapstructure:"errors"`
	// Dialects are asked in order.
	Dialects []Dialect `mapstructure:"dialects"`
	// Events are the rows that read the span's events, of all dialects.
	Events []EventRow `mapstructure:"events"`
	// Faults are the known faults of emitters.
	Faults []Fault `mapstructure:"faults"`
}

// Keys are attributes of spans.
type Keys struct {
	Kind             string `mapstructure:"kind"`
	Dialect          string `mapstructure:"dialect"`
	Framework        string `mapstructure:"framework"`
	FrameworkVersion string `mapstructure:"framework_version"`
	Invalid          string `mapstructure:"invalid"`
	Operation        string `mapstructure:"operation"`
	Provider         string `mapstructure:"provider"`
	Agent            string `mapstructure:"agent"`
	ParentAgent      string `mapstructure:"parent_agent"`
	RequestModel     string `mapstructure:"request_model"`
	ResponseModel    string `mapstructure:"response_model"`
	FinishReasons    string `mapstructure:"finish_reasons"`
	FirstToken       string `mapstructure:"first_token"`
	ErrorType        string `mapstructure:"error_type"`
	Input            string `mapstructure:"input_tokens"`
	Output           string `mapstructure:"output_tokens"`
	CacheRead        string `mapstructure:"cache_read_tokens"`
	CacheWrite       string `mapstructure:"cache_write_tokens"`
	Reasoning        string `mapstructure:"reasoning_tokens"`
	UsageSource      string `mapstructure:"usage_source"`
	UsageFault       string `mapstructure:"usage_fault"`
	SentInput        string `mapstructure:"sent_input_tokens"`
	SentOutput       string `mapstructure:"sent_output_tokens"`
	ExceptionEvent   string `mapstructure:"exception_event"`
	ExceptionType    string `mapstructure:"exception_type"`
}

// Instrumentor is how the names of its scopes begin, and which part between dots names what it instruments.
type Instrumentor struct {
	Prefix string `mapstructure:"prefix"`
	Part   int    `mapstructure:"part"`
}

// Sources are the words for where a number of tokens comes from.
type Sources struct {
	Reported   string `mapstructure:"reported"`
	Aggregated string `mapstructure:"aggregated"`
	Missing    string `mapstructure:"missing"`
}

// Errors are patterns that find the type of an error, in their first group, in the text of a failed span's status, and
// the type that an error has otherwise.
type Errors struct {
	Texts []string `mapstructure:"texts"`
	Other string   `mapstructure:"other"`
}

// Dialect is spoken by the spans of scopes whose names begin so, or by the spans that fit a condition (see condition.go).
type Dialect struct {
	Name   string   `mapstructure:"name"`
	Scopes []string `mapstructure:"scopes"`
	When   string   `mapstructure:"when"`
	// Mark is what Keys.Dialect becomes, empty: nothing; Rest: only where no other dialect has marked the span.
	Mark string `mapstructure:"mark"`
	Rest bool   `mapstructure:"rest"`
	// Framework is what Keys.Framework becomes for these scopes, and their version Keys.FrameworkVersion; or for these spans.
	Framework string `mapstructure:"framework"`
	// CacheApart holds conditions on the scope; where one fits, input leaves out what came from and went to the cache.
	CacheApart []string `mapstructure:"cache_apart"`
	Rows       []Row    `mapstructure:"rows"`
}

// Row sets an attribute that the span lacks (see row.go), or parses a JSON attribute for the rows after it.
type Row struct {
	JSON   string `mapstructure:"json"`
	Set    string `mapstructure:"set"`
	From   string `mapstructure:"from"`
	Lookup string `mapstructure:"lookup"`
	As     string `mapstructure:"as"`
	When   string `mapstructure:"when"`
}

// EventRow sets an attribute that the span lacks from the event's attribute, or without a key from the seconds that had
// passed since the span began; List makes it a list of one.
type EventRow struct {
	Event string `mapstructure:"event"`
	Key   string `mapstructure:"key"`
	Set   string `mapstructure:"set"`
	List  bool   `mapstructure:"list"`
}

// Fault is what emitters get wrong in versions before (or Including) Major.Minor; without Bounded, in all of them. Where
// Correct is set, the right number is the difference of the two attributes in Minus, and Sent keeps what was sent.
type Fault struct {
	ID        string   `mapstructure:"id"`
	Scopes    []string `mapstructure:"scopes"`
	Bounded   bool     `mapstructure:"bounded"`
	Major     int64    `mapstructure:"major"`
	Minor     int64    `mapstructure:"minor"`
	Including bool     `mapstructure:"including"`
	When      string   `mapstructure:"when"`
	Correct   string   `mapstructure:"correct"`
	Minus     []string `mapstructure:"minus"`
	Sent      string   `mapstructure:"sent"`
}

// Validate names what is wrong with the configuration.
func (c *Config) Validate() error {
	keys := reflect.ValueOf(c.Keys)
	for i := range keys.NumField() {
		if keys.Field(i).String() == "" {
			return fmt.Errorf("keys: %s is missing", keys.Type().Field(i).Tag.Get("mapstructure"))
		}
	}
	if c.Absurd <= 0 {
		return fmt.Errorf("absurd: %d is not positive", c.Absurd)
	}
	for _, pattern := range c.Errors.Texts {
		made, err := regexp.Compile(pattern)
		if err != nil {
			return fmt.Errorf("errors: %w", err)
		}
		if made.NumSubexp() == 0 {
			return fmt.Errorf("errors: %q has no group", pattern)
		}
	}
	_, err := compile(c)
	return err
}
