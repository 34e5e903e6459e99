package privacy

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// The attributes that stand for a text that was not kept: roles in order, and lengths in characters.
const (
	attributePrefix = "spyglass.content."
	rolesSuffix     = ".roles"
	lengthsSuffix   = ".lengths"
)

// contents removes prompts and outputs from attribute maps, as configured.
type contents struct {
	level     string
	exact     map[string]string
	families  []ContentKey
	events    []string
	eventKeys map[string]bool
}

func newContents(cfg *Config) *contents {
	c := &contents{level: cfg.Content, exact: map[string]string{}, events: cfg.ContentEvents, eventKeys: map[string]bool{}}
	for _, key := range cfg.ContentKeys {
		if key.Match == matchExact {
			c.exact[key.Key] = key.Part
		} else {
			c.families = append(c.families, key)
		}
	}
	for _, key := range cfg.ContentEventKeys {
		c.eventKeys[key] = true
	}
	return c
}

func (c *contents) keepsAll() bool { return c.level == ContentFull }

// part says what an attribute holds: input, output, other, or "" when it is no content.
func (c *contents) part(key string) string {
	if part, found := c.exact[key]; found {
		return part
	}
	for i := range c.families {
		if c.families[i].covers(key) {
			return c.families[i].Part
		}
	}
	return ""
}

func (k *ContentKey) covers(key string) bool {
	if !strings.HasPrefix(key, k.Key) {
		return false
	}
	return k.Match == matchPrefix || len(key) > len(k.Key) && '0' <= key[len(k.Key)] && key[len(k.Key)] <= '9'
}

// attributes removes content from the attributes, and says how much there was.
func (c *contents) attributes(attributes pcommon.Map) {
	if c.keepsAll() {
		return
	}
	found := map[string]*summary{}
	attributes.RemoveIf(func(key string, value pcommon.Value) bool {
		part := c.part(key)
		if part == "" {
			return false
		}
		if found[part] == nil {
			found[part] = &summary{}
		}
		found[part].add(key, value)
		return true
	})
	if c.level == ContentMetadata {
		for _, part := range []string{"input", "output"} {
			found[part].put(attributes, part)
		}
	}
}

// isEvent says whether the texts of an event of this name are content.
func (c *contents) isEvent(name string) bool {
	for _, prefix := range c.events {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// event removes content from the attributes of a span event or log record, whose name may say that it carries messages.
func (c *contents) event(name string, attributes pcommon.Map) {
	if c.keepsAll() {
		return
	}
	c.attributes(attributes)
	if c.isEvent(name) {
		attributes.RemoveIf(func(key string, _ pcommon.Value) bool { return c.eventKeys[key] })
	}
}

// summary collects the roles and lengths of the texts of one part.
type summary struct {
	roles   []string
	lengths []int64
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
	Parts   json.RawMessage `json:"parts"`
}

func (s *summary) add(key string, value pcommon.Value) {
	if strings.HasSuffix(key, ".role") {
		s.roles = append(s.roles, value.AsString())
		return
	}
	text := value.AsString()
	var messages []message
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &messages) == nil && hasRoles(messages) {
		for _, m := range messages {
			s.roles = append(s.roles, m.Role)
			s.lengths = append(s.lengths, length(m.Content)+length(m.Parts))
		}
		return
	}
	s.lengths = append(s.lengths, int64(utf8.RuneCountInString(text)))
}

func hasRoles(messages []message) bool {
	for _, m := range messages {
		if m.Role == "" {
			return false
		}
	}
	return len(messages) > 0
}

// length counts the characters of the texts in a message's content: a string, or parts with text or content.
func length(raw json.RawMessage) int64 {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return int64(utf8.RuneCountInString(text))
	}
	var parts []struct {
		Text    string          `json:"text"`
		Content json.RawMessage `json:"content"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return 0
	}
	total := int64(0)
	for _, part := range parts {
		total += int64(utf8.RuneCountInString(part.Text)) + length(part.Content)
	}
	return total
}

// put writes the summary, unless the sender wrote its own.
func (s *summary) put(attributes pcommon.Map, part string) {
	if s == nil {
		return
	}
	if _, sent := attributes.Get(attributePrefix + part + lengthsSuffix); sent {
		return
	}
	if len(s.roles) > 0 {
		roles := attributes.PutEmptySlice(attributePrefix + part + rolesSuffix)
		for _, role := range s.roles {
			roles.AppendEmpty().SetStr(role)
		}
	}
	if len(s.lengths) > 0 {
		lengths := attributes.PutEmptySlice(attributePrefix + part + lengthsSuffix)
		for _, n := range s.lengths {
			lengths.AppendEmpty().SetInt(n)
		}
	}
}
