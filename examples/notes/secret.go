package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"log"
	"os"
	"path/filepath"
)

// secretIn returns $NOTES_SECRET. Where it is not set, as on a machine of one's
// own, a file in dir has the secret, made with dir at the first start. In public
// that will not do: a copy of dir would hold the database and the secret both.
func secretIn(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if secret := os.Getenv("NOTES_SECRET"); secret != "" {
		return secret, nil
	}
	path := filepath.Join(dir, "secret")
	log.Printf("NOTES_SECRET is not set: using the file %s, which is for development only", path)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = file.WriteString(rand.Text() + rand.Text())
		err = errors.Join(err, file.Sync(), file.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	secret, err := os.ReadFile(path)
	return string(secret), err
}
