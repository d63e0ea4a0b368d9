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

// googleSteps reads from Secret Manager by Application Default Credentials, with the older library and the newer one. Each
// reads twice: the second time after its first access token has ended.
func googleSteps(given settings) steps {
	background := context.Background()
	read := func(token string) (string, error) {
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
	twice := func(tokenOf func() (string, time.Time, error)) (any, error) {
		seen, values := map[string]bool{}, []string{}
		for range 2 {
			token, ends, err := tokenOf()
			if err != nil {
				return nil, err
			}
			value, err := read(token)
			if err != nil {
				return nil, err
			}
			if seen[token] = true; len(values) == 0 {
				time.Sleep(time.Until(ends) + 500*time.Millisecond)
			}
			values = append(values, value)
		}
		return map[string]any{"read": values, "tokens": len(seen)}, nil
	}
	return steps{
		{"oauth2", func() (any, error) {
			found, err := google.FindDefaultCredentials(background, cloudPlatform)
			if err != nil {
				return nil, err
			}
			return twice(func() (string, time.Time, error) {
				token, err := found.TokenSource.Token()
				if err != nil {
					return "", time.Time{}, err
				}
				return token.AccessToken, token.Expiry, nil
			})
		}},
		{"auth", func() (any, error) {
			found, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: []string{cloudPlatform}})
			if err != nil {
				return nil, err
			}
			return twice(func() (string, time.Time, error) {
				token, err := found.Token(background)
				if err != nil {
					return "", time.Time{}, err
				}
				return token.Value, token.Expiry, nil
			})
		}},
	}
}
