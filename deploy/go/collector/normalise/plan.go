package normalise

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// normaliser is the configuration, ready to be used.
type normaliser struct {
	Config
	slots      *slots
	keys       numbers
	tenant     []tenant
	kinds      map[string]bool
	modelKinds map[string]bool
	errorTexts []*regexp.Regexp
	dialects   []dialect
	events     map[string][]event
	faults     []fault
	documents  int
}

// numbers are the slots of Config.Keys.
type numbers struct {
	kind, dialect, framework, frameworkVersion, operation, provider, agent, parentAgent, requestModel, responseModel,
	finishReasons, firstToken, errorType, input, output, cacheRead, cacheWrite, reasoning,
	usageSource, usageFault, sentInput, sentOutput int
}

type tenant struct {
	key    string
	number int
	usual  string
}

type dialect struct {
	Dialect
	when       condition
	cacheApart []condition
	rows       []row
}

type event struct {
	EventRow
	to int
}

// fault is a known fault; correct is the slot of the wrong number, or negative.
type fault struct {
	Fault
	when              condition
	correct, sent     int
	minuend, subtract int
}

// plan is what is known of a scope before its spans are read.
type plan struct {
	dialects []*dialect
	// framework is what makes the scope's spans; version is known only where the scope is the framework's own.
	framework, version string
	hasFramework       bool
	// isOdd: its emitter has a known fault, or counts the cache apart.
	isOdd, isCacheApart bool
	hasFault            []bool
}

// compile makes the configuration ready, or says what in it cannot work.
func compile(c *Config) (*normaliser, error) {
	s := &slots{byKey: map[string]int{}}
	n := &normaliser{Config: *c, slots: s, keys: newNumbers(s, &c.Keys), kinds: set(c.Kinds), modelKinds: set(c.ModelKinds)}
	for _, key := range slices.Sorted(maps.Keys(c.Tenant)) {
		n.tenant = append(n.tenant, tenant{key, s.of(key), c.Tenant[key]})
	}
	for _, pattern := range c.Errors.Texts {
		made, err := regexp.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("errors: %w", err)
		}
		n.errorTexts = append(n.errorTexts, made)
	}
	n.events = map[string][]event{c.Keys.ExceptionEvent: nil}
	for _, row := range c.Events {
		n.events[row.Event] = append(n.events[row.Event], event{row, s.of(row.Set)})
	}
	for _, written := range c.Dialects {
		made, err := n.dialect(written)
		if err != nil {
			return nil, fmt.Errorf("dialect %s: %w", written.Name, err)
		}
		n.dialects = append(n.dialects, made)
	}
	for _, written := range c.Faults {
		made, err := n.fault(written)
		if err != nil {
			return nil, fmt.Errorf("fault %s: %w", written.ID, err)
		}
		n.faults = append(n.faults, made)
	}
	return n, nil
}

func newNumbers(s *slots, k *Keys) numbers {
	return numbers{
		kind: s.of(k.Kind), dialect: s.of(k.Dialect), framework: s.of(k.Framework),
		frameworkVersion: s.of(k.FrameworkVersion), operation: s.of(k.Operation),
		provider: s.of(k.Provider), agent: s.of(k.Agent), parentAgent: s.of(k.ParentAgent),
		requestModel: s.of(k.RequestModel), responseModel: s.of(k.ResponseModel),
		finishReasons: s.of(k.FinishReasons), firstToken: s.of(k.FirstToken), errorType: s.of(k.ErrorType),
		input: s.of(k.Input), output: s.of(k.Output), cacheRead: s.of(k.CacheRead), cacheWrite: s.of(k.CacheWrite),
		reasoning: s.of(k.Reasoning), usageSource: s.of(k.UsageSource), usageFault: s.of(k.UsageFault),
		sentInput: s.of(k.SentInput), sentOutput: s.of(k.SentOutput),
	}
}

func set(of []string) map[string]bool {
	made := map[string]bool{}
	for _, one := range of {
		made[one] = true
	}
	return made
}

func (n *normaliser) dialect(written Dialect) (dialect, error) {
	r := &rules{places: places{n.slots, map[string]int{}}, config: &n.Config, documents: &n.documents}
	made := dialect{Dialect: written}
	var err error
	if made.when, err = r.condition(written.When); err != nil {
		return made, err
	}
	for _, apart := range written.CacheApart {
		when, err := r.condition(apart)
		if err != nil {
			return made, err
		}
		made.cacheApart = append(made.cacheApart, when)
	}
	for _, one := range written.Rows {
		row, err := r.row(one)
		if err != nil {
			return made, err
		}
		made.rows = append(made.rows, row)
	}
	return made, nil
}

func (n *normaliser) fault(written Fault) (fault, error) {
	when, err := (&places{n.slots, nil}).condition(written.When)
	made := fault{Fault: written, when: when, correct: -1}
	if err != nil || written.Correct == "" {
		return made, err
	}
	if len(written.Minus) != 2 || written.Sent == "" {
		return made, fmt.Errorf("a correction needs two attributes in minus, and one in sent")
	}
	made.correct, made.sent = n.slots.of(written.Correct), n.slots.of(written.Sent)
	made.minuend, made.subtract = n.slots.of(written.Minus[0]), n.slots.of(written.Minus[1])
	return made, nil
}

// plan says what follows from a scope's name and version.
func (n *normaliser) plan(name, version string) *plan {
	p, scope := &plan{}, n.sheet()
	scope.scopeName = ofText(name)
	for i := range n.dialects {
		d := &n.dialects[i]
		if len(d.Scopes) > 0 && !beginsWith(name, d.Scopes) {
			continue
		}
		p.dialects = append(p.dialects, d)
		if d.Framework != "" && len(d.Scopes) > 0 {
			p.framework, p.version, p.hasFramework = d.Framework, version, true
		}
		for _, apart := range d.cacheApart {
			p.isCacheApart = p.isCacheApart || apart.fits(scope)
		}
	}
	if !p.hasFramework {
		p.framework, p.hasFramework = n.instrumented(name)
	}
	p.isOdd = p.isCacheApart
	for i := range n.faults {
		f := &n.faults[i]
		concerns := slices.Contains(f.Scopes, name)
		p.isOdd = p.isOdd || concerns
		p.hasFault = append(p.hasFault, concerns && f.isIn(version))
	}
	return p
}

func beginsWith(name string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// instrumented returns what an instrumentor instruments, which its scope's name says.
func (n *normaliser) instrumented(name string) (string, bool) {
	for _, one := range n.Instrumentors {
		if parts := strings.Split(name, "."); strings.HasPrefix(name, one.Prefix) && one.Part < len(parts) {
			return parts[one.Part], true
		}
	}
	return "", false
}

// isIn says whether a version, of which the first two numbers count, has the fault; what is no version has it only
// where all have it.
func (f *fault) isIn(version string) bool {
	if !f.Bounded {
		return true
	}
	parts := strings.Split(version, ".")
	major, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || major != f.Major || len(parts) < 2 {
		return err == nil && major < f.Major
	}
	minor, err := strconv.ParseInt(parts[1], 10, 64)
	return err == nil && (minor < f.Minor || f.Including && minor == f.Minor)
}

func (n *normaliser) sheet() *sheet {
	return &sheet{slots: make([]slot, len(n.slots.keys)), documents: make([]any, n.documents)}
}
