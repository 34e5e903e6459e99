package normalise

import (
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// kind is the type of a value; other stands for maps, lists and bytes, which are only copied and compared.
type kind uint8

const (
	none kind = iota
	text
	whole
	fraction
	truth
	other
)

// value is an attribute's value, read once: the text, the bits of a number or truth, or pdata's own value.
type value struct {
	kind kind
	text string
	bits uint64
	raw  pcommon.Value
}

func ofText(s string) value      { return value{kind: text, text: s} }
func ofWhole(n int64) value      { return value{kind: whole, bits: uint64(n)} }
func ofFraction(f float64) value { return value{kind: fraction, bits: math.Float64bits(f)} }

func ofTruth(b bool) value {
	if b {
		return value{kind: truth, bits: 1}
	}
	return value{kind: truth}
}

// read takes a value of pdata; empty values and empty bytes are none.
func read(v pcommon.Value) value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return ofText(v.Str())
	case pcommon.ValueTypeInt:
		return ofWhole(v.Int())
	case pcommon.ValueTypeDouble:
		return ofFraction(v.Double())
	case pcommon.ValueTypeBool:
		return ofTruth(v.Bool())
	case pcommon.ValueTypeMap, pcommon.ValueTypeSlice:
		return value{kind: other, raw: v}
	case pcommon.ValueTypeBytes:
		if v.Bytes().Len() > 0 {
			return value{kind: other, raw: v}
		}
	}
	return value{}
}

// ofAny takes a value of parsed JSON.
func ofAny(v any) value {
	switch v := v.(type) {
	case nil:
		return value{}
	case string:
		return ofText(v)
	case float64:
		return ofFraction(v)
	case bool:
		return ofTruth(v)
	}
	raw := pcommon.NewValueEmpty()
	if raw.FromRaw(v) != nil {
		return value{}
	}
	return value{kind: other, raw: raw}
}

// writeTo puts the value into pdata.
func (v *value) writeTo(to pcommon.Value) {
	switch v.kind {
	case text:
		to.SetStr(v.text)
	case whole:
		to.SetInt(v.whole())
	case fraction:
		to.SetDouble(v.fraction())
	case truth:
		to.SetBool(v.bits == 1)
	case other:
		v.raw.CopyTo(to)
	case none:
	}
}

func (v *value) whole() int64 { return int64(v.bits) }

// fraction returns a number of either type.
func (v *value) fraction() float64 {
	if v.kind == whole {
		return float64(v.whole())
	}
	return math.Float64frombits(v.bits)
}

func (v *value) isNumber() bool { return v.kind == whole || v.kind == fraction }

// isAtLeast and isBelow are both false of what is no number.
func (v *value) isAtLeast(n int64) bool {
	return v.kind == whole && v.whole() >= n || v.kind == fraction && v.fraction() >= float64(n)
}

func (v *value) isBelow(n int64) bool {
	return v.kind == whole && v.whole() < n || v.kind == fraction && v.fraction() < float64(n)
}

// equal compares numbers of both types by value, and nothing else across types.
func equal(a, b *value) bool {
	if a.isNumber() && b.isNumber() {
		if a.kind == whole && b.kind == whole {
			return a.bits == b.bits
		}
		return a.fraction() == b.fraction()
	}
	if a.kind != b.kind {
		return false
	}
	if a.kind == other {
		return a.raw.Equal(b.raw)
	}
	return a.bits == b.bits && a.text == b.text
}

// plus adds numbers, and says whether they were; minus takes one from the other.
func plus(a, b value) (value, bool) {
	if a.kind == whole && b.kind == whole {
		return ofWhole(a.whole() + b.whole()), true
	}
	return ofFraction(a.fraction() + b.fraction()), a.isNumber() && b.isNumber()
}

func minus(a, b value) (value, bool) {
	if a.kind == whole && b.kind == whole {
		return ofWhole(a.whole() - b.whole()), true
	}
	return ofFraction(a.fraction() - b.fraction()), a.isNumber() && b.isNumber()
}

// asWhole makes a whole number of what can be one; a text that is none gives none.
func (v *value) asWhole() (value, bool) {
	switch v.kind {
	case text:
		n, err := strconv.ParseInt(v.text, 10, 64)
		if err != nil {
			return value{}, true
		}
		return ofWhole(n), true
	case fraction:
		return ofWhole(int64(v.fraction())), true
	case truth:
		return ofWhole(int64(v.bits)), true
	}
	return *v, v.kind != other
}

// asFraction makes a fraction of what can be one.
func (v *value) asFraction() (value, bool) {
	switch v.kind {
	case text:
		f, err := strconv.ParseFloat(v.text, 64)
		return ofFraction(f), err == nil
	case whole:
		return ofFraction(v.fraction()), true
	case truth:
		return ofFraction(float64(v.bits)), true
	}
	return *v, v.kind != other
}

// asTruth makes a truth of what can be one.
func (v *value) asTruth() (value, bool) {
	switch v.kind {
	case text:
		b, err := strconv.ParseBool(v.text)
		return ofTruth(b), err == nil
	case whole, fraction:
		return ofTruth(v.fraction() != 0), true
	}
	return *v, v.kind != other
}
