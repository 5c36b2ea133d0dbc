// Package doctor examines a running lab from outside, like a person who places orders and reads their traces. Wait waits
// until its parts are healthy. Examine places a few orders of its own, follows them from hop to hop up to the screens, and
// names the first hop that does not pass them on, what was seen there, and what to do.
//
// It changes nothing: it makes no topic, joins no group, and commits no offset. Its orders belong to a run of their own,
// whose id begins with "doctor-", so that no other run counts them.
package doctor
