// Command breaks proves that the tests bite. Each patch in testdata/breaks
// breaks one rule; its first line names a package and the test that must fail
// then:
//
//	./internal/signin TestT01TheSixthAnswerFailsThoughItIsRight
//
// It works on a copy of the tree. Run it from the root of the module:
//
//	go run ./test/breaks           # all of them
//	go run ./test/breaks -n 5      # some, by chance
//	go run ./test/breaks T01 T48   # those whose names begin so
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	n := flag.Int("n", 0, "how many to play, by chance; 0 is all")
	flag.Parse()
	if err := run(*n, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "breaks:", err)
		os.Exit(1)
	}
}

func run(n int, prefixes []string) error {
	patches, err := filepath.Glob("testdata/breaks/*.patch")
	if err != nil || len(patches) == 0 {
		return fmt.Errorf("no patches here: %w", err)
	}
	tree, err := os.MkdirTemp("", "breaks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if err := errors.Join(copyTree(tree), fit(tree, patches)); err != nil {
		return err
	}
	if len(prefixes) > 0 {
		patches = slices.DeleteFunc(patches, func(path string) bool {
			return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(filepath.Base(path), p) })
		})
	}
	if n > 0 && n < len(patches) {
		rand.Shuffle(len(patches), func(i, j int) { patches[i], patches[j] = patches[j], patches[i] })
		patches = patches[:n]
	}
	var problems []error
	for _, path := range patches {
		err := play(tree, path)
		problems = append(problems, err)
		if err == nil {
			fmt.Println("ok  ", filepath.Base(path))
		}
	}
	return errors.Join(problems...)
}

// fit tells which patches do not fit the code any more, also of those that are
// not played.
func fit(tree string, patches []string) error {
	var problems []error
	for _, path := range patches {
		patch, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if out, err := in(tree, patch, "git", "apply", "--check", "-"); err != nil {
			problems = append(problems, fmt.Errorf("%s does not fit the code any more: %s", path, out))
		}
	}
	return errors.Join(problems...)
}

// copyTree copies what git knows, and what it would.
func copyTree(to string) error {
	out, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not committed yet
		} else if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, text, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// play breaks one rule, sees its test fail, and mends it.
func play(tree, path string) error {
	patch, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, _, _ := strings.Cut(string(patch), "\n")
	pkg, test, ok := strings.Cut(strings.TrimSpace(head), " ")
	if !ok {
		return fmt.Errorf("%s: the first line must name a package and a test", path)
	}
	if out, err := in(tree, patch, "git", "apply", "-"); err != nil {
		return fmt.Errorf("%s: %s", path, out)
	}
	out, err := in(tree, nil, "go", "test", "-count=1", "-run", "^"+test+"$", pkg)
	if mended, err := in(tree, patch, "git", "apply", "-R", "-"); err != nil {
		return fmt.Errorf("%s cannot be taken back: %s", path, mended)
	}
	switch {
	case err == nil:
		return fmt.Errorf("%s breaks a rule, and %s passes", path, test)
	case !bytes.Contains(out, []byte("--- FAIL: "+test)) && !bytes.Contains(out, []byte("panic: ")):
		return fmt.Errorf("%s: %s did not run: %s", path, test, out)
	}
	return nil
}

func in(dir string, stdin []byte, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	return cmd.CombinedOutput()
}
