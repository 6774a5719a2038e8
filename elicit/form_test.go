package elicit

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

type everything struct {
	Word   string    `json:"word,omitempty" jsonschema:"Any word" min:"2" max:"3"`
	Mail   string    `json:"mail,omitempty" format:"email"`
	Link   string    `json:"link,omitempty" format:"uri"`
	Day    string    `json:"day,omitempty" format:"date"`
	At     time.Time `json:"at,omitzero"`
	Choice string    `json:"choice" enum:"a,b" default:"b"`
	Count  int8      `json:"count,omitempty" min:"-3"`
	Ratio  float64   `json:"ratio,omitempty" max:"0.5"`
	Agreed bool      `json:"agreed" title:"Agreed?"`
	_      int
	Never  string `json:"-"`
}

func TestAFormIsWhatItsTypeSays(t *testing.T) {
	f, err := formOf[everything]()
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(f.schema)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"object","properties":{` +
		`"word":{"type":"string","description":"Any word","minLength":2,"maxLength":3},` +
		`"mail":{"type":"string","format":"email"},"link":{"type":"string","format":"uri"},"day":{"type":"string","format":"date"},` +
		`"at":{"type":"string","format":"date-time"},"choice":{"type":"string","default":"b","enum":["a","b"]},` +
		`"count":{"type":"integer","minimum":-3,"maximum":127},"ratio":{"type":"number","maximum":0.5},"agreed":{"type":"boolean","title":"Agreed?"}},` +
		`"required":["agreed"]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnAnswerIsCheckedAgainstItsForm(t *testing.T) {
	f, err := formOf[everything]()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, content, want, problem string }{
		{"what is left out gets its default", `{"agreed":true}`, `{"agreed":true,"choice":"b"}`, ""},
		{"what T does not have is dropped", `{"agreed":true,"choice":"a","admin":true,"Agreed":false,"Never":"x","hidden":1}`, `{"agreed":true,"choice":"a"}`, ""},
		{"everything", `{"word":"äöü","mail":"a@example.com","link":"https://x.example/","day":"2026-11-21","at":"2026-11-21T14:03:00Z","choice":"a","count":-3,"ratio":0.5,"agreed":false}`,
			`{"agreed":false,"at":"2026-11-21T14:03:00Z","choice":"a","count":-3,"day":"2026-11-21","link":"https://x.example/","mail":"a@example.com","ratio":0.5,"word":"äöü"}`, ""},
		{"a whole number may have a point", `{"agreed":true,"count":2.0}`, `{"agreed":true,"choice":"b","count":2}`, ""},
		{"nothing", `{}`, "", "Agreed? is missing"},
		{"a word for a yes", `{"agreed":"true"}`, "", "Agreed? has to be yes or no"},
		{"null", `{"agreed":null}`, "", "Agreed? has to be yes or no"},
		{"a list", `{"agreed":[true]}`, "", "Agreed? has to be yes or no"},
		{"a text too short", `{"agreed":true,"word":"x"}`, "", "word has to be text of 2 to 3 characters"},
		{"a text too long", `{"agreed":true,"word":"abcd"}`, "", "word has to be text of 2 to 3 characters"},
		{"another choice", `{"agreed":true,"choice":"c"}`, "", `choice has to be one of "a" "b"`},
		{"half a number", `{"agreed":true,"count":1.5}`, "", "count has to be a whole number, -3 to 127"},
		{"a number too small", `{"agreed":true,"count":-4}`, "", "count has to be a whole number, -3 to 127"},
		{"a number too big", `{"agreed":true,"ratio":0.51}`, "", "ratio has to be a number, at most 0.5"},
		{"no address", `{"agreed":true,"mail":"a"}`, "", "mail has to be an e-mail address"},
		{"an address with a name", `{"agreed":true,"mail":"Ann <a@example.com>"}`, "", "mail has to be an e-mail address"},
		{"no URL", `{"agreed":true,"link":"example"}`, "", "link has to be a URL"},
		{"no date", `{"agreed":true,"day":"2026-02-30"}`, "", "day has to be a date like 2026-11-21"},
		{"no time", `{"agreed":true,"at":"noon"}`, "", "at has to be a time like 2026-11-21T14:03:00Z"},
	} {
		var content map[string]any
		if err := json.Unmarshal([]byte(test.content), &content); err != nil {
			t.Fatal(err)
		}
		got, err := f.read(content)
		var bad misfit
		if string(got) != test.want || errors.As(err, &bad) != (test.problem != "") || string(bad) != test.problem {
			t.Errorf("%s: %s, %v; want %s %q", test.name, got, err, test.want, test.problem)
		}
		if err == nil && json.Unmarshal(got, new(everything)) != nil {
			t.Errorf("%s: %s is not what the form is of", test.name, got)
		}
	}
	long, err := formOf[struct{ Text string }]()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := long.read(map[string]any{"Text": strings.Repeat("x", maxAnswer)}); !errors.As(err, new(misfit)) {
		t.Errorf("an answer without end: %v", err)
	}
	if _, err := long.read(map[string]any{"Text": 1.0}); err == nil || err.Error() != "Text has to be text" {
		t.Errorf("a number for a text: %v", err)
	}
}

func TestWhatIsNoForm(t *testing.T) {
	type inner struct{ X int }
	for name, test := range map[string]struct {
		err  error
		says string
	}{
		"a string":           {problem[string](), "no struct"},
		"no field":           {problem[struct{}](), "no field"},
		"a list":             {problem[struct{ X []string }](), "field X: a form holds strings"},
		"a struct":           {problem[struct{ X inner }](), "field X: a form holds strings"},
		"an embedded struct": {problem[struct{ inner }](), "embedded"},
		"a map":              {problem[struct{ X map[string]string }](), "field X: a form holds strings"},
		"a pointer":          {problem[struct{ X *string }](), "field X: a form holds strings"},
		"anything":           {problem[struct{ X any }](), "field X: a form holds strings"},
		"a channel":          {problem[struct{ X chan int }](), "unsupported"},
		"a format nobody knows": {problem[struct {
			X string `format:"ipv4"`
		}](), "formats are email, uri, date and date-time"},
		"a format of a number": {problem[struct {
			X int `format:"date"`
		}](), "only a string has one"},
		"a time as a date": {problem[struct {
			X time.Time `format:"date"`
		}](), "a time has the format date-time"},
		"choices of numbers": {problem[struct {
			X int `enum:"1,2"`
		}](), "only a string has one"},
		"a limit of a bool": {problem[struct {
			X bool `max:"1"`
		}](), "only strings and numbers have one"},
		"a limit that is none": {problem[struct {
			X int `max:"many"`
		}](), "this is no number"},
		"a length below nothing": {problem[struct {
			X string `min:"-1"`
		}](), "whole number"},
		"a default of another kind": {problem[struct {
			X int `default:"two"`
		}](), "this is no integer"},
		"a default out of bounds": {problem[struct {
			X int `max:"1" default:"2"`
		}](), "default"},
		"a default without format": {problem[struct {
			X string `format:"email" default:"x"`
		}](), "default"},
		"a password": {problem[struct{ NewPassword string }](), "must not ask for secrets"},
		"a one-time code": {problem[struct {
			X string `json:"one_time_code"`
		}](), "must not ask for secrets"},
		"a code": {problem[struct{ Code string }](), "must not ask for secrets"},
		"an access token": {problem[struct {
			X string `json:"access-token"`
		}](), "must not ask for secrets"},
		"an API key": {problem[struct{ APIKey string }](), "must not ask for secrets"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, test.err, test.says)
		}
	}
	for _, harmless := range []any{struct{ PostCode string }{}, struct{ Pinned bool }{}, struct{ Country string }{}} {
		if name := reflect.TypeOf(harmless).Field(0).Name; secretive(name) {
			t.Errorf("%s is no secret", name)
		}
	}
}

func problem[T any]() error {
	_, err := formOf[T]()
	return err
}

func TestAURLIsForAPageThatIsSafeToOpen(t *testing.T) {
	for link, ok := range map[string]bool{
		"https://shop.example/bill?call=1": true,
		"http://localhost:8080/":           true,
		"http://127.0.0.1:8080/":           true,
		"http://[::1]/":                    true,
		"http://shop.example/":             false,
		"http://localhost.evil.example/":   false,
		"https://ann@shop.example/":        false,
		"https://ann:pw@shop.example/":     false,
		"https:///bill":                    false,
		"javascript:alert(1)":              false,
		"file:///etc/passwd":               false,
		"/bill":                            false,
		"":                                 false,
		"https://shop.example/\x00":        false,
		"https://shop.example/" + strings.Repeat("x", 2048): false,
	} {
		if err := checkURL(link); (err == nil) != ok {
			t.Errorf("%.60q: %v", link, err)
		}
	}
}
