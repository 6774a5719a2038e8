package mail_test

import (
	"context"
	"log"
	"os"
	"time"

	"example.com/foyer/mail"
)

func ExampleSMTP() {
	post := mail.SMTP{
		Addr:     "smtp.example.com:587",
		From:     "Notes <notes@example.com>",
		Username: "notes",
		Password: os.Getenv("NOTES_SMTP_PASSWORD"),
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := post.Check(ctx); err != nil { // a wrong password shows now, and not when the first person waits
		log.Print(err)
	}
}
