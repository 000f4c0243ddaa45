// Jitsi Meet at "meet.example.org": written by jitsi-install, overwritten by its next `apply`.
// Keys of your own belong into [meet] of the site file.
var interfaceConfig = (function () {
    var settings = {
        APP_NAME: "Jitsi Meet",
        NATIVE_APP_NAME: "Jitsi Meet",
        PROVIDER_NAME: "Jitsi Meet",
        SUPPORT_URL: "mailto:admin@example.org",

        // No way from our pages to somebody else's.
        SHOW_JITSI_WATERMARK: false,
        JITSI_WATERMARK_LINK: '',
        SHOW_BRAND_WATERMARK: false,
        BRAND_WATERMARK_LINK: '',
        SHOW_POWERED_BY: false,
        SHOW_CHROME_EXTENSION_BANNER: false,
        SHOW_PROMOTIONAL_CLOSE_PAGE: false,
        CLOSE_PAGE_GUEST_HINT: false,
        POLICY_LOGO: null,
        DEFAULT_WELCOME_PAGE_LOGO_URL: 'images/watermark.svg',

        DISPLAY_WELCOME_FOOTER: false,
        DISPLAY_WELCOME_PAGE_CONTENT: false,
        DISPLAY_WELCOME_PAGE_ADDITIONAL_CARD: false,
        DISPLAY_WELCOME_PAGE_TOOLBAR_ADDITIONAL_CONTENT: false,
        GENERATE_ROOMNAMES_ON_WELCOME_PAGE: true,
        RECENT_LIST_ENABLED: true,
        LANG_DETECTION: true,
        MOBILE_APP_PROMO: true,
        ENABLE_DIAL_OUT: false,
        SETTINGS_SECTIONS: ['devices', 'language', 'moderator', 'profile', 'calendar', 'sounds', 'more'],
        OPTIMAL_BROWSERS: ['chrome', 'chromium', 'firefox', 'electron', 'safari', 'webkit'],
        UNSUPPORTED_BROWSERS: [],

        // Geometry and colours, with upstream's values.
        DEFAULT_BACKGROUND: '#040404',
        AUDIO_LEVEL_PRIMARY_COLOR: 'rgba(255,255,255,0.4)',
        AUDIO_LEVEL_SECONDARY_COLOR: 'rgba(255,255,255,0.2)',
        AUTO_PIN_LATEST_SCREEN_SHARE: 'remote-only',
        FILM_STRIP_MAX_HEIGHT: 120,
        LOCAL_THUMBNAIL_RATIO: 16 / 9,
        REMOTE_THUMBNAIL_RATIO: 1,
        MAXIMUM_ZOOMING_COEFFICIENT: 1.3,
        VERTICAL_FILMSTRIP: true,
        VIDEO_LAYOUT_FIT: 'both',
        VIDEO_QUALITY_LABEL_DISABLED: false,
        TOOLBAR_ALWAYS_VISIBLE: false,
        TOOLBAR_TIMEOUT: 4000,
        INITIAL_TOOLBAR_TIMEOUT: 20000,
        DISABLE_DOMINANT_SPEAKER_INDICATOR: false,
        DISABLE_JOIN_LEAVE_NOTIFICATIONS: false,
        DISABLE_PRESENCE_STATUS: false,
        DISABLE_TRANSCRIPTION_SUBTITLES: false,
        DISABLE_VIDEO_BACKGROUND: false,
        HIDE_INVITE_MORE_HEADER: false
    };

    var extra = {};
    Object.keys(extra).forEach(function (key) {
        settings[key] = extra[key];
    });
    return settings;
}());
