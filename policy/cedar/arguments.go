package cedar

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/cedar-policy/cedar-go/types"
)

// Caps of the arguments that policies look at.
const (
	maxDepth  = 32
	maxValues = 4096
	maxText   = 1 << 20 // bytes of all strings and names
)

var (
	errDeep  = fmt.Errorf("the arguments are more than %d levels deep", maxDepth)
	errLarge = fmt.Errorf("the arguments have more than %d values, or %d bytes of text", maxValues, maxText)
	errType  = errors.New("an argument is not of the type that the schema declares")
)

// context returns what policies see of arguments.
func (it *item) context(arguments map[string]any) (types.Record, error) {
	w := walker{}
	of := it.arguments
	if of == nil {
		of = &shape{is: record}
	}
	value, err := w.walk(arguments, of, 0)
	if err != nil {
		return types.Record{}, err
	}
	return types.NewRecord(types.RecordMap{"arguments": value, "args_unrepresentable": types.Boolean(w.unrepresentable)}), nil
}

// A walker turns arguments into values of Cedar. It is not Cedar's own reader of
// JSON, to which {"__entity": ...} is an entity and not a record.
type walker struct {
	values, text    int
	unrepresentable bool
}

// walk returns v, which is to be an s. It returns nil for null.
func (w *walker) walk(v any, s *shape, depth int) (types.Value, error) {
	if w.values++; w.values > maxValues {
		return nil, errLarge
	}
	if depth > maxDepth {
		return nil, errDeep
	}
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		return types.Boolean(v), s.mustBe(truth)
	case string:
		return types.String(v), errors.Join(s.mustBe(text), w.count(v))
	case float64:
		return w.number(strconv.FormatFloat(v, 'g', -1, 64), s)
	case json.Number:
		return w.number(v.String(), s)
	case []string:
		values := make([]any, len(v))
		for i := range v {
			values[i] = v[i]
		}
		return w.set(values, s, depth)
	case []any:
		return w.set(v, s, depth)
	case map[string]any:
		return w.record(v, s, depth)
	}
	return nil, fmt.Errorf("an argument is a %T, which JSON does not know", v)
}

func (s *shape) mustBe(is is) error {
	if s.is != anything && s.is != is {
		return errType
	}
	return nil
}

func (w *walker) count(s string) error {
	if w.text += len(s); w.text > maxText {
		return errLarge
	}
	return nil
}

func (w *walker) set(vs []any, s *shape, depth int) (types.Value, error) {
	element := s.element
	if element == nil {
		element = &shape{}
	}
	values := make([]types.Value, 0, min(len(vs), maxValues))
	for _, v := range vs {
		value, err := w.walk(v, element, depth+1)
		if err != nil {
			return nil, err
		}
		if value != nil {
			values = append(values, value)
		}
	}
	return types.NewSet(values...), s.mustBe(list)
}

func (w *walker) record(m map[string]any, s *shape, depth int) (types.Value, error) {
	values := make(types.RecordMap, min(len(m), maxValues))
	for name, v := range m {
		of := s.fields[name].shape
		if of == nil {
			of = &shape{}
		}
		value, err := w.walk(v, of, depth+1)
		if err := errors.Join(err, w.count(name)); err != nil {
			return nil, err
		}
		if value != nil {
			values[types.String(name)] = value
		}
	}
	return types.NewRecord(values), s.mustBe(record)
}

// number returns a number exactly, or as a string where Cedar cannot hold it.
func (w *walker) number(text string, s *shape) (types.Value, error) {
	if s.is != integer && s.is != number && s.is != anything {
		return nil, errType
	}
	if exact, ok := exactly(text); ok {
		if exact.IsInt() && exact.Num().IsInt64() && s.is != number {
			return types.Long(exact.Num().Int64()), nil
		}
		if s.is == integer && !exact.IsInt() {
			return nil, errType
		}
		tenThousandths := exact.Mul(exact, big.NewRat(10_000, 1))
		if tenThousandths.IsInt() && tenThousandths.Num().IsInt64() && s.is != integer {
			return types.NewDecimal(tenThousandths.Num().Int64(), -4)
		}
	}
	w.unrepresentable = true
	return types.String(text), w.count(text)
}

// exactly reads a number that is short: a large exponent would be a large number.
func exactly(text string) (*big.Rat, bool) {
	_, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if len(text) > 64 || strings.Trim(text, "0123456789+-.eE") != "" || len(strings.TrimLeft(exponent, "+-0")) > 2 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
