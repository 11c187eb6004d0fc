DROP TABLE link_wishes;
