CREATE SCHEMA daypass;
CREATE TABLE daypass.audit (
    ledger uuid NOT NULL,
    seq bigint NOT NULL,
    record text NOT NULL,
    leaf text NOT NULL,
    chain text NOT NULL
);
CREATE TABLE daypass.key_ring (
    id integer NOT NULL,
    version bigint NOT NULL,
    keys text NOT NULL,
    CONSTRAINT key_ring_id_check CHECK ((id = 1))
);
CREATE TABLE daypass.leases (
    ledger uuid NOT NULL,
    id text NOT NULL,
    run_id text NOT NULL,
    run_attempt text NOT NULL,
    state text NOT NULL,
    ends_by bigint NOT NULL,
    over_since bigint,
    due_at bigint NOT NULL,
    tried_at bigint,
    attempts integer NOT NULL,
    unknown_until bigint NOT NULL,
    credentials text NOT NULL,
    CONSTRAINT leases_state_check CHECK ((state = ANY (ARRAY['open'::text, 'active'::text, 'revoking'::text, 'revoked'::text, 'expired'::text, 'expires-only'::text, 'failed'::text])))
);
CREATE TABLE daypass.ledgers (
    id uuid NOT NULL,
    issuer text NOT NULL,
    unit_id text NOT NULL,
    seq bigint NOT NULL,
    chain text NOT NULL,
    due_at bigint,
    latest_at bigint NOT NULL,
    forgotten_until bigint NOT NULL,
    quotas text NOT NULL,
    swept_by uuid,
    swept_until timestamp with time zone
)
WITH (fillfactor='70');
CREATE TABLE daypass.limited_grants (
    ledger uuid NOT NULL,
    lease text NOT NULL,
    grant_key text NOT NULL
);
CREATE TABLE daypass.marks (
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE daypass.store (
    id integer NOT NULL,
    schema_version integer NOT NULL,
    readable_from integer NOT NULL,
    deployment text NOT NULL,
    generation integer NOT NULL,
    accept_from bigint NOT NULL,
    system_id text NOT NULL,
    timeline text NOT NULL,
    has_standby boolean NOT NULL,
    CONSTRAINT store_id_check CHECK ((id = 1))
);
CREATE TABLE daypass.used_tokens (
    ledger uuid NOT NULL,
    key text NOT NULL,
    expires_at bigint NOT NULL,
    bound_to text,
    proofs integer NOT NULL,
    replay_recorded boolean NOT NULL
);
INSERT INTO daypass.audit VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 1, '{"at":"2026-11-22T03:00:06.291Z","claims":{"event_name":"push","ref":"refs/heads/main","runner_environment":"github-hosted"},"client_address":"127.0.0.1","decision":"allow","event":"exchange.minted","grants":[{"connection":"broker","fingerprints":{"token":"9cec16c182abbfb820addbc65e2b075297186344fdbbfc2be14aa5c409d58ee3"},"name":"vault","provider":"identity-token","resource":"https://vault.example.com","ttl_seconds":300}],"identity":{"actor":"octocat","actor_id":"583231","environment":"production","event":"push","issuer":"http://127.0.0.1:35107","owner":"acme","owner_id":"9001","ref":"refs/heads/main","run_attempt":"1","run_id":"7001","unit":"acme/shop","unit_id":"41","unit_kind":"repository"},"lease":"01a20132-5811-75c7-87ec-d52965e4d1bd","policy_version":"0751c28cc9f908c75ed4a321c8dbcd51db1a456923225bd5f2d99cce3bbf774a","reason":"minted","request_id":"40554c43-d2e9-420e-b2e3-f68c1909d375","seq":1,"token_binding":"none","token_digest":"Ic6FuS7v9Mlf3j9GIhDmC3sQuvDyWJjCNho0yJOqvLc","version":2}', '0bf19f4ab7e9833865340f0042f16da74e74942e7894a6903d76363c5044836d', 'c3b83861d653cd178ace304f9b0a830a3249aeaca61fef88baeecc90c7c20e4b');
INSERT INTO daypass.audit VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 2, '{"at":"2026-11-22T03:00:06.410Z","client_address":"127.0.0.1","decision":"deny","event":"token.replayed","grants":[],"identity":{"actor":"octocat","actor_id":"583231","environment":"production","event":"push","issuer":"http://127.0.0.1:35107","owner":"acme","owner_id":"9001","ref":"refs/heads/main","run_attempt":"1","run_id":"7001","unit":"acme/shop","unit_id":"41","unit_kind":"repository"},"lease":null,"policy_version":"0751c28cc9f908c75ed4a321c8dbcd51db1a456923225bd5f2d99cce3bbf774a","reason":"token_already_used","request_id":"f1b4ba54-248d-4a35-b2a0-f37256f1b152","seq":2,"token_binding":"none","token_digest":"Ic6FuS7v9Mlf3j9GIhDmC3sQuvDyWJjCNho0yJOqvLc","version":2}', '36ec175f8e06801598e8542ef6d138505c33fd6223111d053dc30b594fe7f21b', 'c153cbc6c6c5a6a3ad7c2e3edb90add78cdd449c73704345bb3602391c9e9f45');
INSERT INTO daypass.audit VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 3, '{"at":"2026-11-22T03:00:06.493Z","claims":{"event_name":"push","ref":"refs/heads/main","runner_environment":"github-hosted"},"client_address":"127.0.0.1","decision":"allow","event":"exchange.minted","grants":[{"connection":"broker","fingerprints":{"token":"d7d74fb33adbf2c6f6c875f9a0f11ffda2c8a5a7ba0d519e7b6ead1894dc6a40"},"name":"vault","provider":"identity-token","resource":"https://vault.example.com","ttl_seconds":300}],"identity":{"actor":"octocat","actor_id":"583231","environment":"production","event":"push","issuer":"http://127.0.0.1:35107","owner":"acme","owner_id":"9001","ref":"refs/heads/main","run_attempt":"1","run_id":"7002","unit":"acme/shop","unit_id":"41","unit_kind":"repository"},"lease":"01a20132-58cd-74de-82dd-45ad5b515272","policy_version":"0751c28cc9f908c75ed4a321c8dbcd51db1a456923225bd5f2d99cce3bbf774a","reason":"minted","request_id":"13682987-e88c-4a1a-bdb3-5ec3fa0e6436","seq":3,"token_binding":"none","token_digest":"bPXkdT3enqBVJR70OQ9h-iz4AT511UsgX228UT56CfI","version":2}', 'a2328ca6d3a594d427fe4f13f3d12505d72e387667263f3846a5b2d7ec630daa', '6f76a277f298295675ef4d5a87161278cf292f6d2b9c8f81e27456bce096d25b');
INSERT INTO daypass.audit VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 4, '{"at":"2026-11-22T03:00:06.541Z","client_address":"127.0.0.1","decision":null,"event":"lease.revoking","grants":[],"identity":{"actor":"octocat","actor_id":"583231","environment":"production","event":"push","issuer":"http://127.0.0.1:35107","owner":"acme","owner_id":"9001","ref":"refs/heads/main","run_attempt":"1","run_id":"7002","unit":"acme/shop","unit_id":"41","unit_kind":"repository"},"lease":"01a20132-58cd-74de-82dd-45ad5b515272","policy_version":"0751c28cc9f908c75ed4a321c8dbcd51db1a456923225bd5f2d99cce3bbf774a","reason":"asked by the job","request_id":"1de05123-d1c9-4e2f-83ff-da8ee42710d4","seq":4,"token_binding":"none","token_digest":"MbLcT4V9-slxBcyCStwkEcC17sq4oWPfTiixp3qIOU0","version":2}', '38f0b1d0d9e17d44e28007ca1ef17ec95902c6037e9b3ac4258485d096f5883d', 'f61e96ef1ae40007402a334b7675cef10b525a1137ca5be249b6148f2441d2b9');
INSERT INTO daypass.audit VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 5, '{"at":"2026-11-22T03:00:06.564Z","client_address":"127.0.0.1","decision":null,"event":"lease.closed","grants":[],"identity":{"actor":"octocat","actor_id":"583231","environment":"production","event":"push","issuer":"http://127.0.0.1:35107","owner":"acme","owner_id":"9001","ref":"refs/heads/main","run_attempt":"1","run_id":"7002","unit":"acme/shop","unit_id":"41","unit_kind":"repository"},"lease":"01a20132-58cd-74de-82dd-45ad5b515272","policy_version":"0751c28cc9f908c75ed4a321c8dbcd51db1a456923225bd5f2d99cce3bbf774a","reason":"expires-only 1","request_id":"1de05123-d1c9-4e2f-83ff-da8ee42710d4","seq":5,"token_binding":"none","token_digest":"MbLcT4V9-slxBcyCStwkEcC17sq4oWPfTiixp3qIOU0","version":2}', 'a88c4da413592fcd76cbe83b165699c20557bfa0e2c6219a07e4b53f17276b55', '340ed64a06c4efa6246e68f707b26966ddbc297b6a5b0febc4ca5ef57b8022da');
INSERT INTO daypass.audit VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 6, '{"at":"2026-11-22T03:00:06.601Z","claims":{"event_name":"push","ref":"refs/heads/other","runner_environment":"github-hosted"},"client_address":"127.0.0.1","decision":"deny","event":"exchange.denied","grants":[],"identity":{"actor":"octocat","actor_id":"583231","environment":"production","event":"push","issuer":"http://127.0.0.1:35107","owner":"acme","owner_id":"9001","ref":"refs/heads/other","run_attempt":"1","run_id":"7003","unit":"acme/shop","unit_id":"41","unit_kind":"repository"},"lease":null,"policy_version":"0751c28cc9f908c75ed4a321c8dbcd51db1a456923225bd5f2d99cce3bbf774a","reason":"not_allowed: vault","request_id":"bb56d151-f814-4789-8774-6cb74ca1b6ce","seq":6,"token_binding":"none","token_digest":"E4K2IysbfRk5T0uU7xfMw2vyr_Y26jJDU6EROUYI7AY","version":2}', 'bdafd6bae5e9c945ac7dffc99042866478082837a69af151f2b2605cda7d994c', '4d6f412fc42b48f1b84a95a37fcb077f58e4d031ecb1c14ff1ea0e48351538ae');
INSERT INTO daypass.audit VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 7, '{"at":"2026-11-22T03:00:06.623Z","claims":{"event_name":"push","ref":"refs/heads/main","runner_environment":"github-hosted"},"client_address":"127.0.0.1","decision":"allow","event":"exchange.intended","grants":[{"connection":"aws-prod","name":"aws-deploy","provider":"aws","resource":"arn:aws:iam::111122223333:role/shop-deploy","ttl_seconds":1800}],"identity":{"actor":"octocat","actor_id":"583231","environment":"production","event":"push","issuer":"http://127.0.0.1:35107","owner":"acme","owner_id":"9001","ref":"refs/heads/main","run_attempt":"1","run_id":"7004","unit":"acme/shop","unit_id":"41","unit_kind":"repository"},"lease":"01a20132-595f-7c1d-a1d0-23ce9cffe5d3","policy_version":"0751c28cc9f908c75ed4a321c8dbcd51db1a456923225bd5f2d99cce3bbf774a","reason":"allowed","request_id":"7abe49c4-0135-4d46-9784-55779f29dae2","seq":7,"token_binding":"none","token_digest":"tlMc0u1cYJecIZ7KxqkFV-9ZTzC5qfiS71U0UAoyUIU","version":2}', '182c0f56687bbcb449ec72528964e88ce0a92685834d211d15776c3ca4fad702', 'a8806fa6f2a19e14fdf97f532b205de98adceab7c17d875d98d8db8782435ed7');
INSERT INTO daypass.audit VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 8, '{"at":"2026-11-22T03:00:09.624Z","client_address":"127.0.0.1","decision":null,"event":"exchange.failed","grants":[{"connection":"aws-prod","name":"aws-deploy","provider":"aws","resource":"arn:aws:iam::111122223333:role/shop-deploy","ttl_seconds":1800}],"identity":{"actor":"octocat","actor_id":"583231","environment":"production","event":"push","issuer":"http://127.0.0.1:35107","owner":"acme","owner_id":"9001","ref":"refs/heads/main","run_attempt":"1","run_id":"7004","unit":"acme/shop","unit_id":"41","unit_kind":"repository"},"lease":"01a20132-595f-7c1d-a1d0-23ce9cffe5d3","policy_version":"0751c28cc9f908c75ed4a321c8dbcd51db1a456923225bd5f2d99cce3bbf774a","reason":"provider_unavailable: aws-prod","request_id":"7abe49c4-0135-4d46-9784-55779f29dae2","seq":8,"token_binding":"none","token_digest":"tlMc0u1cYJecIZ7KxqkFV-9ZTzC5qfiS71U0UAoyUIU","version":2}', '69f560ac809ef151b68e863623ff1f74e1b690b3e40af182dc4ec10be8fdc643', '03c1cd82bb8a432a08218ff10ba8334745999e231ef37712c1431dfc1e6364b7');
INSERT INTO daypass.key_ring VALUES (1, 1, '[{"kid":"URJ2jaklHY77FS59oElU2QcB7rJeILqvxEeL8LI5m74","publicJwk":{"kty":"RSA","n":"07r5e3wzz-bhyDP9-GKRlJDtnZSJ6n1e3fQRT_O-OuojjVUfISZhXU4CW0aVoJurRbt4DjHdap5rnDeUy2A8EH252RUgRIG9mntWkrbhKIc91h8I3zIUEo5JauJ7hb_DZGwyJCFgdie0aH5yv-QgYU6BajoHckcDHu1I6Z9mbc3RGQGRTjcsl9yIRuxhCckA-Fq1PxOYAtUCgvxD254ncXFpE2f5ZswUALmGDQd4Z9XIJM2c3VPzyNdfKNbaVcPf_0RNLdXjr5VjllhJ3EF1UwEX8DVuTnsLu_7wF4ZmPkwcW_h5eCiWL_07XUbCzZJi3FY-JXV64mFPr6BqIH3pDw","e":"AQAB"},"sealedPrivateKey":"eyJhbGciOiJBMjU2R0NNS1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiZTA5ODUwOTc3MTM3Y2I3NDlhNWEzMTJhIiwicGxhY2UiOiJbXCJodHRwOi8vMTI3LjAuMC4xOjI2NjExXCIsXCJzaWduaW5nLWtleVwiLFwiLVwiLFwiVVJKMmpha2xIWTc3RlM1OW9FbFUyUWNCN3JKZUlMcXZ4RWVMOExJNW03NFwiXSIsIml2IjoiTDFSZ2E0emZNdUhSd19VXyIsInRhZyI6IncxMU85WVNESU1YOGVjN29RN2lGaVEifQ.-H9bWx0VnoWJcnTLgM7cB-y8tk6lys_6A02X_0PPq1A.-RR21KjqYL67EdGK.kYP9PlydhIzYuo1uaMrd0o37YyqXAsc5EudwLBDcxKcRZrDsO-TO7wKY5eZ_7QPZvQlkKXwIhqqrKVesorP-EG4bF_YWOmhrvF-UfDMnZGVstrLQQaDuNLOLd9ewTKUIKylfuseZ-OkXs_Bc5sJcj5Gv5GWtSZ-v-yIou7BEp0nIw0z4oHIPF1uuO563aVpHAZw7mmBK9xsNca_WYLEHh7e5RX1a6RwqyI52hHk_fVrYN5-auFu8rikgZNLfxFe8H4JootD5vPC93lTmjAJx1AvtUw3YHELVcQmV41KR3zsw19b4bhW5AWyWQrMu0fBP7FNKUeHJT76eny7kPkkNzQFEDe5A9BP1HHS89uMNmXX0uqCrPYk1DuNdtnnFrFOD0xC-BhHU_Y1CnsrCCybhVHIoCkOExxzZYx7JgpdwED77PBuV4710HkAV_j8m4Nsi1OGSGeIPMi5m4XipwssqOL-pPuT02_QFK_eHEK-C3Em7pdQVCVopgZp9X9QZKZQ-r-cM4iKBdJY-rL3-8StAc-4amc1yg1m6fV8aCsu3y0Z-Ocr-bHm6AeHmIEN7BTlr9vfL6Xa88H2lCbBW_jRFOvMSPlIbHS6Mf0LGjeHlkZobIoP6iXzy2FIVZQOqobTd75esYMAggq5Y5oQdeyYYO2oHbpZL1sCovBIQ3M3xz3d4gI1y9oDT6wYwvyriCRgLK-mWLlUdsX3addROJHOHQNFf7RnVAIufUimXP4BoZTQckTaTKkmYx_uN74uteUliGh9SgQ8xWFej9K5e_b9KmvsPHF6Trt7ixWpaVnRCFbWekvOqJb3WTAfLAdqJzzOKw-rIPhpRiopKBODjvsXydF9mdrtniWH0maRJDc363hUGpwIJAIWrRcChyh7Hz00paOIXr7b-B1ti-ROs_MFDwSCwsZrWkmUeB0ATYAhy9VK-WfKG1UaeLNt5gQ7w0CuSkORr00DJPluXZnp2TX90NuNSS756mh6vceuRhUz6_Yugsfi2szlYXQPuHTRLJEs9C34o5jXwjb6Xip_5-r3dZ6TKmLHTQBUQJHAZIZvm4hEEGvCl8IKfahgkjGL4VDlQqokwY7oJ14xzGxkx1ToRBo-TSMOlp_HdEu1OstYRCkifbP7CYN1IESnQy5O4YfUuY_l85hQ9Aok5e1puadZVY7a1ElU406o64BRDZpUVM93CMtXukBBtBPrCHwYj2UVdNQ9QRTrXPMUMIGvpK82Ky5yJzpLs5zRPpHRE3EzJ-VHuS-ciIhHno8gVNV7Fq2pU6Cz7nXUTbwgDBySxo1k7s6-O6Jp-twJsaiy1wtBep2OHH5jbncajKNyoQBaTq1rNM_76sJCYItqOVqyPb8xn0H547UD4-uIYbyZcgyBT_f8cqbrhEQQUYFSdPCm0OKVJfwtLwQsIEBouWypI6wSsftTH-ylW6B7B7WWGVackOmrjG3pw-YvyzqYG7BQzatS7stnlTCupEAq48ZwTVw4xu0LdMbVubwxLyYowVP1e0kpAo8cHWqkSi7hGa8TpvzcteL7HXyrIzxlznhlLK61z1j73T4UIohMMFIOF2TmjjJO5gcIaxVQnQ0Tsk4Y9ZDhDANocEckgGPCdYbMeMJxbwYeFGiJsDryAc7Vx-NifUos46WwMuBFtEJ5M-zHdJkTNZzobuXUewZQZFidF9DpsWNPqlvVaAiV0_nTBdu1xF2RapUXYc24TbPhQAgxNCC_VVlpfH4dq3sjgRWQ0sCWqo-4QE7uz-gGVayLl6tEMz1Qiv6_x4CpSqMuUh7e0uZN0fTnYOGnVU1Jri2tsJmlPMzLDJcrDb_r3trOdUUm7jHwr6byFkDVL6CJnBNVu968hErx28ZTtt1AJAw8mFVVU_LkJkYKiROkMaieFQMwNaeCBThR5hmgyczo-tB4I_Ig_blVi51t4caifEMKILyFTRBQYbuRSMYrx1K9j6jvwvbun9YUtzDetRLt0cOzqYEjG5__tBp32SJuUIsakR9t26R-AjghXvrVAB2UTcO2xc2X5Ip-8aloypZIn52oFl3w-bA5uF6jiZekQOiL2TpFj_9eYdl01xmDefXBklpm-ysvFgvXwlk5DEEECCHvT4q_RYn4Am2Ld4jch-8Jni_-qzd1OUFg0CiWp6FEtBPDfDX2l5xf3u9sDHDvz7vF-Sw_UlyBR4OeDem9aRCFbhdRG4I1xvdqlpDidMHOR4V2DYkazYmvHym3kE_ReImFIDtuXIqJBmZfyte-XbRzukUCDzGJ6NN1_Y_k.HAUJQFwbavpXYKBhfllIBg","createdAt":"2026-11-22T03:00:05.804Z","activatedAt":"2026-11-22T03:00:05.804Z","retiredAt":null}]');
INSERT INTO daypass.leases VALUES ('38ca08f6-6966-b30e-c062-94326862b488', '01a20132-5811-75c7-87ec-d52965e4d1bd', '7001', '1', 'active', 1795316716291, NULL, 1795316706000, NULL, 0, 0, '[{"grant":"vault","connection":"broker","provider":"identity-token","revocation":"expires-only","expiresAt":1795316706000,"grantedUntil":null,"sealedHandle":null,"ended":null}]');
INSERT INTO daypass.leases VALUES ('38ca08f6-6966-b30e-c062-94326862b488', '01a20132-58cd-74de-82dd-45ad5b515272', '7002', '1', 'expires-only', 1795316716493, 1795316406541, 1798426806564, 1795316406541, 1, 0, '[{"grant":"vault","connection":"broker","provider":"identity-token","revocation":"expires-only","expiresAt":1795316706000,"grantedUntil":null,"sealedHandle":null,"ended":"expires-only"}]');
INSERT INTO daypass.leases VALUES ('38ca08f6-6966-b30e-c062-94326862b488', '01a20132-595f-7c1d-a1d0-23ce9cffe5d3', '7004', '1', 'failed', 1795318216623, NULL, 1798426809624, NULL, 0, 0, '[]');
INSERT INTO daypass.ledgers VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 'http://127.0.0.1:35107', '41', 8, '03c1cd82bb8a432a08218ff10ba8334745999e231ef37712c1431dfc1e6364b7', 1795316466541, 1795316409624, 0, '{"minute":29921940,"exchanges":3,"hour":498699,"denials":2,"counted":0,"told":[],"openLeases":1}', NULL, NULL);
INSERT INTO daypass.marks VALUES ('issuers', '[{"name":"github","family":"github-actions","url":"http://127.0.0.1:35107","owners":[["acme","9001"]]}]');
INSERT INTO daypass.store VALUES (1, 1, 1, 'http://127.0.0.1:26611', 0, 0, '7713720461483228514', '00000001', false);
INSERT INTO daypass.used_tokens VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 'UJwO8VnG43tA_3OFZKT0ITfEPLuywo74G0DhCtEmUAQ', 1795316766, NULL, 0, true);
INSERT INTO daypass.used_tokens VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 'rZ055_efGA_xneJYnAJsD8I37mdmUK1BROeWFuzqDcM', 1795316766, NULL, 0, false);
INSERT INTO daypass.used_tokens VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 'VLpKIaMySVy1sfXzpOSp-vskx7fudSfRmaIbM3ngzf0', 1795316766, NULL, 0, false);
INSERT INTO daypass.used_tokens VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 'YekYGokEa5_LNE9lpprgo84TyNl8JwtNAsLcFDGRkP0', 1795316766, NULL, 0, false);
INSERT INTO daypass.used_tokens VALUES ('38ca08f6-6966-b30e-c062-94326862b488', 'yUIvsIcYMHYA-WUzWcwkpUCAHrlKW64d3nGVg2RNAS4', 1795316766, NULL, 0, false);
ALTER TABLE ONLY daypass.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (ledger, seq);
ALTER TABLE ONLY daypass.key_ring
    ADD CONSTRAINT key_ring_pkey PRIMARY KEY (id);
ALTER TABLE ONLY daypass.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (ledger, id);
ALTER TABLE ONLY daypass.ledgers
    ADD CONSTRAINT ledgers_issuer_unit_id_key UNIQUE (issuer, unit_id);
ALTER TABLE ONLY daypass.ledgers
    ADD CONSTRAINT ledgers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY daypass.limited_grants
    ADD CONSTRAINT limited_grants_pkey PRIMARY KEY (ledger, lease, grant_key);
ALTER TABLE ONLY daypass.marks
    ADD CONSTRAINT marks_pkey PRIMARY KEY (name);
ALTER TABLE ONLY daypass.store
    ADD CONSTRAINT store_pkey PRIMARY KEY (id);
ALTER TABLE ONLY daypass.used_tokens
    ADD CONSTRAINT used_tokens_pkey PRIMARY KEY (ledger, key);
CREATE INDEX leases_by_due ON daypass.leases USING btree (ledger, due_at);
CREATE INDEX ledgers_by_due ON daypass.ledgers USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX limited_grants_by_key ON daypass.limited_grants USING btree (ledger, grant_key);
CREATE INDEX used_tokens_by_expiry ON daypass.used_tokens USING btree (ledger, expires_at);
