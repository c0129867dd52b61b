-- Whether one more call may be made under a provider's credential.
--
-- KEYS[1] theoretical arrival time of the credential
-- ARGV[1] requests per minute     ARGV[2] the time, in tests alone; '' for the clock
-- Returns after how many ms a call may be made: 0 for now, and then it is counted.

local _, _, _, retry = counted(KEYS[1], tonumber(ARGV[1]), microseconds(ARGV[2]))
return retry
