package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"cloud.google.com/go/auth/credentials"
	"golang.org/x/oauth2/google"
)

const cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"

// readVersion reads a version of Secret Manager with an access token.
func readVersion(given settings, token string) (string, error) {
	request, err := http.NewRequest("GET", given.Endpoint+"/v1/"+given.Secret+":access", nil)
	must(err)
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		body, _ := io.ReadAll(answer.Body)
		return "", fmt.Errorf("%d %s", answer.StatusCode, body)
	}
	var version struct{ Payload struct{ Data string } }
	if err := json.NewDecoder(answer.Body).Decode(&version); err != nil {
		return "", err
	}
	value, err := base64.StdEncoding.DecodeString(version.Payload.Data)
	return string(value), err
}

// readTwice reads a second time when the first access token is over.
func readTwice(given settings, tokenOf func() (string, error)) (any, error) {
	seen, values := map[string]bool{}, []string{}
	for range 2 {
		if len(values) > 0 {
			time.Sleep(time.Duration(given.SleepSeconds) * time.Second)
		}
		token, err := tokenOf()
		if err != nil {
			return nil, err
		}
		value, err := readVersion(given, token)
		if err != nil {
			return nil, err
		}
		seen[token], values = true, append(values, value)
	}
	return map[string]any{"read": values, "tokens": len(seen)}, nil
}

// oauth2Steps uses Application Default Credentials with golang.org/x/oauth2.
func oauth2Steps(given settings) steps {
	return steps{{"adc", func() (any, error) {
		found, err := google.FindDefaultCredentials(context.Background(), cloudPlatform)
		if err != nil {
			return nil, err
		}
		return readTwice(given, func() (string, error) {
			token, err := found.TokenSource.Token()
			if err != nil {
				return "", err
			}
			return token.AccessToken, nil
		})
	}}}
}

// authSteps uses Application Default Credentials with cloud.google.com/go/auth.
func authSteps(given settings) steps {
	return steps{{"adc", func() (any, error) {
		found, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: []string{cloudPlatform}})
		if err != nil {
			return nil, err
		}
		return readTwice(given, func() (string, error) {
			token, err := found.Token(context.Background())
			if err != nil {
				return "", err
			}
			return token.Value, nil
		})
	}}}
}
