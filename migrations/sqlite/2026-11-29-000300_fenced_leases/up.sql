ALTER TABLE appointment_external_links ADD COLUMN
    fenced_lease_token /* The lease that was taken from whoever may still have a call under way, which ends with that call or at lease_until; NULL if none was. */ TEXT;
