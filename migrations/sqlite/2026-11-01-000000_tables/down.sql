DROP TABLE oauth_consents;
DROP TABLE appointment_external_links;
DROP TABLE calendar_integrations;
